import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { Failure, reasonOf } from '../platform/failure.ts';
import { shown, UsageError } from '../platform/problem.ts';
import { SHORTEST_KEY_BYTES } from './proof.ts';

const LARGEST_FILE_BYTES = 64 * 1024;

/**
 * The shared key: all bytes of a file that nobody else can read. Both ends need the same file.
 * @param where it was named
 * @throws Failure it cannot be read
 * @throws UsageError it is no good key
 */
export function readKey(file: string, where = '--key-file'): Uint8Array {
  return new Uint8Array(
    readChecked(file, where, (status) => {
      insistOnSecrecy(status, file, where);
      const { size } = status;
      if (size >= SHORTEST_KEY_BYTES && size <= LARGEST_FILE_BYTES) return;
      throw refused(
        where,
        `${SHORTEST_KEY_BYTES} to ${LARGEST_FILE_BYTES} bytes, such as head -c 32 /dev/urandom gives`,
        `${size} bytes`,
      );
    }),
  );
}

/** What a file that nobody else can read holds. @throws Failure, UsageError as `readKey` does */
export function readSecret(file: string, where: string): Buffer {
  return readChecked(file, where, (status) => {
    insistOnSecrecy(status, file, where);
    insistOnSize(status, where);
  });
}

/** What a file that others may read holds. @throws Failure it cannot be read. @throws UsageError it is too large */
export function readSmallFile(file: string, where: string): Buffer {
  return readChecked(file, where, (status) => insistOnSize(status, where));
}

/** @param check looks at the file that was opened, not at one that may have taken its name meanwhile */
function readChecked(file: string, where: string, check: (status: Stats) => void): Buffer {
  let descriptor: number | undefined;
  try {
    // A pipe would be waited for.
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = fstatSync(descriptor);
    if (!status.isFile()) throw refused(where, 'a file', file);
    check(status);
    return readFileSync(descriptor);
  } catch (cause) {
    if (cause instanceof UsageError) throw cause;
    throw new Failure(`cannot read ${file}: ${reasonOf(cause)}`);
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

function insistOnSecrecy({ mode }: Stats, file: string, where: string): void {
  if ((mode & 0o077) === 0) return;
  throw refused(
    where,
    `a file that nobody else can read: chmod 600 ${file}`,
    `mode ${(mode & 0o777).toString(8)}`,
  );
}

function insistOnSize({ size }: Stats, where: string): void {
  if (size <= LARGEST_FILE_BYTES) return;
  throw refused(where, `a file of at most ${LARGEST_FILE_BYTES} bytes`, `${size} bytes`);
}

function refused(path: string, expected: string, found: string): UsageError {
  return new UsageError([{ path, expected, found: shown(found) }]);
}
