import type { MigrationRecord } from '../core/migration/record.ts';
import { Failure } from '../platform/failure.ts';
import { LineFile } from '../platform/line-file.ts';
import { print } from './standard-streams.ts';

/** A destination for lines. */
export interface LineOutput {
  /** The function is called only if the line is written somewhere. @throws Failure it cannot be written */
  write(line: () => string): void;
  /** @throws Failure not all lines are on the disk */
  close(): void;
}

/**
 * Each line is in the file before the run continues.
 * @param file `-`: standard output; `undefined`: lines are dropped
 * @throws Failure the file cannot be written
 */
export function lineOutput(file: string | undefined): LineOutput {
  if (file === undefined) return { write: () => {}, close: () => {} };
  if (file === '-') return { write: (line) => print(line()), close: () => {} };
  const lines = new LineFile(file);
  return { write: (line) => lines.append(`${line()}\n`), close: () => lines.close() };
}

/** @throws Failure whose record is not kept, and why */
export function writeRecord<Kept extends MigrationRecord>(output: LineOutput, record: Kept): void {
  try {
    output.write(() => JSON.stringify(record));
  } catch (cause) {
    if (!(cause instanceof Failure)) throw cause;
    const { guest, seed } = record;
    throw new Failure(`the record of guest '${guest.name}', seed ${seed}, is not kept: ${cause.message}`);
  }
}
