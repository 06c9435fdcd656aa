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
  return bundledFile(text, 'a scenario', folder, (name) => /^\d/.test(name));
}

/** The same of a machine's profile. @throws Failure there is neither */
export function machineProfileFile(text: string): string {
  return bundledFile(text, 'a machine profile', join(folder, 'machines'), () => true);
}

function bundledFile(text: string, what: string, within: string, isNamed: (file: string) => boolean): string {
  if (existsSync(text) || text.includes('/')) return text;
  const bundled = join(within, `${text.replace(/\.ya?ml$/, '')}.yaml`);
  if (existsSync(bundled)) return shortPath(bundled);
  const names = readdirSync(within)
    .filter(isNamed)
    .map((file) => file.replace(/\.yaml$/, ''));
  const meant = nearestWord(text, names) ?? names.find((name) => name.replace(/^\d+-/, '') === text);
  const question = meant === undefined ? '' : `; did you mean ${meant}?`;
  throw new Failure(
    `cannot read ${text}: there is no such file, nor does ${what} of that name come with switchover: ${names.join(', ')}${question}`,
  );
}
