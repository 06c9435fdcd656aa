import { writeText } from '../platform/text-file.ts';
import { print } from './standard-streams.ts';

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
