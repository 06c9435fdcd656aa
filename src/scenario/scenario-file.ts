import { existsSync, readdirSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import { packageFolder } from '../platform/package.ts';
import { shown, UsageError } from '../platform/problem.ts';

const folder = join(packageFolder, 'config');

/**
 * The file of a scenario: one that is there, or one that comes with the program, by its name with or without its ending.
 * @throws UsageError there is neither
 */
export function scenarioFile(text: string): string {
  if (existsSync(text) || text.includes('/')) return text;
  const bundled = join(folder, `${text.replace(/\.ya?ml$/, '')}.yaml`);
  if (existsSync(bundled)) return fromHere(bundled);
  throw new UsageError([
    {
      path: 'file',
      expected: `a file, or a scenario that comes with switchover: ${names()}`,
      found: shown(text),
    },
  ]);
}

/** Short where it can be, so that a command that is printed can be read. */
function fromHere(file: string): string {
  const path = relative('', file);
  return path.startsWith('..') || isAbsolute(path) ? file : path;
}

function names(): string {
  return readdirSync(folder)
    .filter((file) => /^\d/.test(file))
    .map((file) => file.replace(/\.yaml$/, ''))
    .join(', ');
}
