import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MAN_PAGE, manPage } from '../../reference/man-page.ts';
import { commands } from '../../src/cli/commands.ts';
import { root } from '../fixtures/command.ts';

const file = join(root, MAN_PAGE);
const has = (program: string) => spawnSync(program, ['--version']).error === undefined;

test('the man page is as fresh as the commands; if not, npm run build:reference', async () => {
  expect(readFileSync(file, 'utf8')).toBe(await manPage());
});

test('it has every command, and is what the package says', () => {
  const text = readFileSync(file, 'utf8');
  for (const name of Object.keys(commands)) expect(text).toContain(`.SS switchover ${name} `);
  const { man, files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  expect(man).toBe(MAN_PAGE);
  expect(files).toContain('docs');
});

test.runIf(has('mandoc'))('mandoc finds nothing wrong with it', () => {
  const { stdout } = spawnSync('mandoc', ['-Tlint', file], { encoding: 'utf8' });
  // It belongs to a version, not to a day.
  const lines = stdout.split('\n').filter((line) => line !== '' && !line.includes('missing date'));
  expect(lines).toEqual([]);
});

test.runIf(has('groff'))('groff formats it without a warning', () => {
  const { stdout, stderr } = spawnSync('groff', ['-man', '-ww', '-Tutf8', file], { encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(stdout).toContain('--until');
});
