import { closeSync, openSync, writeSync } from 'node:fs';
import { Failure, reasonOf } from '../platform/failure.ts';

/** A destination for lines. */
export interface LineOutput {
  /** The function is called only if the line is written somewhere. */
  write(line: () => string): void;
  close(): void;
}

/**
 * Each line is in the file before the run continues.
 * @param file `-`: standard output; `undefined`: lines are dropped
 * @throws Failure the file cannot be written
 */
export function lineOutput(file: string | undefined): LineOutput {
  if (file === undefined) return { write: () => {}, close: () => {} };
  if (file === '-') return { write: (line) => process.stdout.write(`${line()}\n`), close: () => {} };
  let descriptor: number | undefined;
  try {
    descriptor = openSync(file, 'w');
  } catch (cause) {
    throw new Failure(`cannot write ${file}: ${reasonOf(cause)}`);
  }
  return {
    write: (line) => writeSync(descriptor!, `${line()}\n`),
    close: () => {
      if (descriptor !== undefined) closeSync(descriptor);
      descriptor = undefined;
    },
  };
}
