import { closeSync, openSync, writeSync } from 'node:fs';
import { Failure, reasonOf } from '../platform/failure.ts';

/** Where lines go. */
export interface LineOutput {
  /** The line is only made if somebody wants it. */
  write(line: () => string): void;
  close(): void;
}

/**
 * Each line is in the file before the run goes on.
 * @param file `-`: standard output; `undefined`: nobody wants the lines
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
