import { closeSync, openSync, readSync } from 'node:fs';
import { inputLimits } from '../core/input-limits.ts';
import { formatSize } from '../core/units.ts';
import { orFailure, TooLarge } from './failure.ts';
import { writeWhole } from './pending-file.ts';

/**
 * A whole file that somebody has written.
 * @throws Failure it cannot be read
 * @throws TooLarge it is more than a document may be
 */
export function readText(file: string): string {
  return readBytes(file, inputLimits.documentBytes).toString('utf8');
}

/**
 * No more of it is read than is allowed, also where it has no end, as a device.
 * @param most bytes
 * @throws Failure it cannot be read
 * @throws TooLarge
 */
export function readBytes(file: string, most: number): Buffer {
  return orFailure(`cannot read ${file}`, () => {
    const descriptor = openSync(file, 'r');
    try {
      return allOf(descriptor, file, most);
    } finally {
      closeSync(descriptor);
    }
  });
}

const CHUNK_BYTES = 64 * 1024;

function allOf(descriptor: number, file: string, most: number): Buffer {
  const chunks: Buffer[] = [];
  for (let read = 0; ; ) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const bytes = readSync(descriptor, chunk);
    if (bytes === 0) return Buffer.concat(chunks);
    read += bytes;
    if (read > most) throw new TooLarge(file, `at most ${formatSize(most)}`);
    chunks.push(chunk.subarray(0, bytes));
  }
}

/** @throws Failure it cannot be written; what was there before is still there then */
export function writeText(file: string, text: string): void {
  writeWhole([[file, (pending) => pending.write(text)]]);
}
