import { readFileSync } from 'node:fs';
import { orFailure } from './failure.ts';
import { writeWhole } from './pending-file.ts';

/** @throws Failure it cannot be read */
export function readText(file: string): string {
  return orFailure(`cannot read ${file}`, () => readFileSync(file, 'utf8'));
}

/** @throws Failure it cannot be written; what was there before is still there then */
export function writeText(file: string, text: string): void {
  writeWhole([[file, (pending) => pending.write(text)]]);
}
