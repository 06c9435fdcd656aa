import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../platform/failure.ts';
import { nearestWord } from '../platform/meant.ts';
import { packageFolder } from '../platform/package.ts';
import { shortPath } from '../platform/short-path.ts';

const folder = join(packageFolder, 'config');

/**
 * The file of a scenario: one that is there, or one that comes with the program, by its name with or without its ending.
 * @throws Failure there is neither
 */
export function scenarioFile(text: string): string {
  if (existsSync(text) || text.includes('/')) return text;
  const bundled = join(folder, `${text.replace(/\.ya?ml$/, '')}.yaml`);
  if (existsSync(bundled)) return shortPath(bundled);
  const known = names();
  const meant = nearestWord(text, known) ?? known.find((name) => name.replace(/^\d+-/, '') === text);
  const question = meant === undefined ? '' : `; did you mean ${meant}?`;
  throw new Failure(
    `cannot read ${text}: there is no such file, nor does a scenario of that name come with switchover: ${known.join(', ')}${question}`,
  );
}

function names(): readonly string[] {
  return readdirSync(folder)
    .filter((file) => /^\d/.test(file))
    .map((file) => file.replace(/\.yaml$/, ''));
}
