import { closeSync, openSync, readSync } from 'node:fs';
import { Failure, reasonOf } from '../platform/failure.ts';

const CHUNK_BYTES = 1 << 20;
const NEWLINE = 10;

/** A line of a file. */
export interface Line {
  readonly text: string;
  /** The offset just after it; undefined: nothing ends it, so it may be torn, or still being written. */
  readonly endsAt: number | undefined;
}

/** The lines of a file, one chunk in memory at a time. @throws Failure it cannot be read */
export function* linesOf(file: string): Generator<Line> {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'r');
    let rest = Buffer.alloc(0);
    let endsAt = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const bytes = readSync(descriptor, chunk);
      if (bytes === 0) break;
      const text = Buffer.concat([rest, chunk.subarray(0, bytes)]);
      let start = 0;
      for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, start)) {
        endsAt += end + 1 - start;
        yield { text: text.toString('utf8', start, end), endsAt };
        start = end + 1;
      }
      rest = text.subarray(start);
    }
    if (rest.length > 0) yield { text: rest.toString('utf8'), endsAt: undefined };
  } catch (cause) {
    throw new Failure(`cannot read ${file}: ${reasonOf(cause)}`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
