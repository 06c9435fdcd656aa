import { Option } from 'commander';
import { writeText } from '../platform/text-file.ts';
import { print } from './standard-streams.ts';

/** The same in every command that has one answer. */
export function jsonOption(): Option {
  return new Option(
    '--json <file>',
    'write the answer as one JSON object to a file, or with - to standard output instead of text',
  );
}

/**
 * Writes the answer if it is asked for as JSON.
 * @returns whether it is to be told as text, too
 * @throws Failure the file cannot be written
 */
export function writeJson(file: string | undefined, answer: () => unknown): boolean {
  if (file === '-') print(JSON.stringify(answer()));
  else if (file !== undefined) writeText(file, `${JSON.stringify(answer())}\n`);
  return file !== '-';
}
