import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';
import { Failure, reasonOf } from '../platform/failure.ts';
import { shown, UsageError } from '../platform/problem.ts';
import { SHORTEST_KEY_BYTES } from './proof.ts';

const LARGEST_KEY_BYTES = 64 * 1024;

/**
 * The shared key: all bytes of a file that nobody else can read. Both ends need the same file.
 * @param where it was named
 * @throws Failure it cannot be read
 * @throws UsageError it is no good key
 */
export function readKey(file: string, where = '--key-file'): Uint8Array {
  let descriptor: number | undefined;
  try {
    // A pipe would be waited for.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    // Of the file that was opened, not of the one that may have taken its name meanwhile.
    const status = fstatSync(descriptor);
    const mode = status.mode & 0o777;
    if (!status.isFile()) throw refused(where, 'a file', file);
    if ((mode & 0o077) !== 0) {
      throw refused(where, `a file that nobody else can read: chmod 600 ${file}`, `mode ${mode.toString(8)}`);
    }
    if (status.size < SHORTEST_KEY_BYTES || status.size > LARGEST_KEY_BYTES) {
      throw refused(
        where,
        `${SHORTEST_KEY_BYTES} to ${LARGEST_KEY_BYTES} bytes, such as head -c 32 /dev/urandom gives`,
        `${status.size} bytes`,
      );
    }
    return new Uint8Array(readFileSync(descriptor));
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new Failure(`cannot read ${file}: ${reasonOf(cause)}`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function refused(path: string, expected: string, found: string): UsageError {
  return new UsageError([{ path, expected, found: shown(found) }]);
}
