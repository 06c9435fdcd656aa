import { join } from 'node:path';

/** Where the records of an experiment are, one a line. */
export function recordsFile(folder: string, id: string): string {
  return join(folder, `${id}.ndjson`);
}
