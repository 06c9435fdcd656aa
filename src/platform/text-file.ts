import { readFileSync, writeFileSync } from 'node:fs';
import { Failure, reasonOf } from './failure.ts';

/** @throws Failure it cannot be read */
export function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Failure(`cannot read ${file}: ${reasonOf(cause)}`);
  }
}

/** @throws Failure it cannot be written */
export function writeText(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (cause) {
    throw new Failure(`cannot write ${file}: ${reasonOf(cause)}`);
  }
}
