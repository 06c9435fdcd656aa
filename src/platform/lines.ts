import { closeSync, openSync, readSync } from 'node:fs';
import { formatSize } from '../core/units.ts';
import { orFailure, TooLarge } from './failure.ts';

const CHUNK_BYTES = 1 << 20;
const NEWLINE = 10;

/** A line of a file. */
export interface Line {
  readonly text: string;
  /** The offset just after it; undefined: nothing ends it, so it may be torn, or still being written. */
  readonly endsAt: number | undefined;
}

/**
 * The lines of a file, one chunk or one line in memory at a time.
 * @param most bytes of a line
 * @throws Failure it cannot be read
 * @throws TooLarge a line is longer
 */
export function* linesOf(file: string, most: number): Generator<Line> {
  const what = `cannot read ${file}`;
  const descriptor = orFailure(what, () => openSync(file, 'r'));
  try {
    /** What has come of a line that has not ended yet, in pieces: joined once, however many they are. */
    let pieces: Buffer[] = [];
    let piecesBytes = 0;
    let endsAt = 0;
    let number = 1;
    const keep = (piece: Buffer) => {
      pieces.push(piece);
      piecesBytes += piece.length;
      if (piecesBytes > most)
        throw new TooLarge(`${file}:${number}`, `a line of at most ${formatSize(most)}`);
    };
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const bytes = orFailure(what, () => readSync(descriptor, chunk));
      if (bytes === 0) break;
      let start = 0;
      for (let end = chunk.indexOf(NEWLINE); end >= 0 && end < bytes; end = chunk.indexOf(NEWLINE, start)) {
        keep(chunk.subarray(start, end));
        endsAt += piecesBytes + 1;
        yield { text: textOf(pieces), endsAt };
        [pieces, piecesBytes, start] = [[], 0, end + 1];
        number += 1;
      }
      if (start < bytes) keep(chunk.subarray(start, bytes));
    }
    if (piecesBytes > 0) yield { text: textOf(pieces), endsAt: undefined };
  } finally {
    closeSync(descriptor);
  }
}

function textOf(pieces: readonly Buffer[]): string {
  return pieces.length === 1 ? pieces[0]!.toString('utf8') : Buffer.concat(pieces).toString('utf8');
}
