import { readFileSync, writeFileSync } from 'node:fs';
import { orFailure } from './failure.ts';

/** @throws Failure it cannot be read */
export function readText(file: string): string {
  return orFailure(`cannot read ${file}`, () => readFileSync(file, 'utf8'));
}

/** @throws Failure it cannot be written */
export function writeText(file: string, text: string): void {
  orFailure(`cannot write ${file}`, () => writeFileSync(file, text));
}
