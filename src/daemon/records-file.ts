import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';

/** Where the records of an experiment are, one a line. */
export function recordsFile(folder: string, id: string): string {
  return join(folder, `${id}.ndjson`);
}

/** Its records so far; before the first there is no file. */
export function recordsIn(folder: string, id: string): Readable {
  const file = recordsFile(folder, id);
  return existsSync(file) ? createReadStream(file) : Readable.from([]);
}
