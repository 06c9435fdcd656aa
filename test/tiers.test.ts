import { execSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');

interface Listed {
  readonly file: string;
  readonly projectName: string;
}

/** What vitest would run of a script of package.json. */
function listedBy(script: 'test' | 'test:long'): readonly Listed[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const command = scripts[script].replace('vitest run', 'npx vitest list --filesOnly --json');
  const listed: Listed[] = JSON.parse(execSync(command, { cwd: root, encoding: 'utf8' }));
  return listed.map(({ file, projectName }) => ({ file: relative(root, file), projectName }));
}

const [short, long] = [listedBy('test'), listedBy('test:long')];

/** Suites that several files of tests run. */
const suites = ['test/worlds/contract.ts'];

/** Files below test/ that have tests, however they are named. */
const withTests = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .map((file) => join('test', file))
  .filter((file) => file.endsWith('.ts') && !suites.includes(file))
  .filter((file) => /import \{[^}]*\b(?:test|describe)\b[^}]*\} from 'vitest'/.test(textOf(file)));

describe('every file of tests', () => {
  test('is in one project, of one tier', () => {
    expect(withTests.length).toBeGreaterThan(100);
    expect([...short, ...long].map(({ file }) => file).sort()).toEqual(withTests.sort());
  });

  test('says in its name that it takes long or measures real time, and nothing else', () => {
    for (const { file, projectName } of [...short, ...long]) {
      const [, ...words] = basename(file).split('.');
      const said = words.slice(0, -2).join('-');
      const isSaid = ['real-time', 'long', 'long-real-time'].includes(projectName);
      expect(said, file).toBe(isSaid ? projectName : '');
    }
  });

  test('that is said to compute reaches no process, no thread and no socket', () => {
    const computed = short.filter(({ projectName }) => projectName === 'computed');
    expect(computed.length).toBeGreaterThan(50);
    expect(computed.flatMap(({ file }) => waysOut(file, new Set()))).toEqual([]);
  });
});

/** Where a file's imports, and theirs, lead out of this thread. */
function waysOut(file: string, seen: Set<string>): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  return importsOf(file).flatMap((specifier) => {
    if (/^node:(child_process|cluster|dgram|http|net|worker_threads)/.test(specifier))
      return [`${file}: ${specifier}`];
    const imported = join(dirname(file), specifier);
    return specifier.startsWith('.') && existsSync(join(root, imported)) ? waysOut(imported, seen) : [];
  });
}

function importsOf(file: string): string[] {
  const text = textOf(file).replace(/import type [^;]*;/g, '');
  return [...text.matchAll(/(?:\bfrom\s+|\bimport\s*\(?\s*)'([^']+)'/g)].map((match) => match[1]!);
}

function textOf(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}
