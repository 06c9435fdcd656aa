import { closeSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 1 << 20;
const NEWLINE = 10;

/** A line of a file, and the offset just after it. */
export interface Line {
  readonly text: string;
  readonly endsAt: number;
}

/** The whole lines of a file, one chunk in memory at a time. What follows the last newline is torn, and left out. */
export function* linesOf(file: string): Generator<Line> {
  const descriptor = openSync(file, 'r');
  try {
    let rest = Buffer.alloc(0);
    let endsAt = 0;
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const bytes = readSync(descriptor, chunk);
      if (bytes === 0) return;
      const text = Buffer.concat([rest, chunk.subarray(0, bytes)]);
      let start = 0;
      for (let end = text.indexOf(NEWLINE); end >= 0; end = text.indexOf(NEWLINE, start)) {
        endsAt += end + 1 - start;
        yield { text: text.toString('utf8', start, end), endsAt };
        start = end + 1;
      }
      rest = text.subarray(start);
    }
  } finally {
    closeSync(descriptor);
  }
}
