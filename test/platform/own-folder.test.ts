import { spawnSync } from 'node:child_process';
import { existsSync, utimesSync } from 'node:fs';
import { expect, test } from 'vitest';
import { foldersLeft, OwnFolder } from '../../src/platform/own-folder.ts';
import { root } from '../fixtures/command.ts';

const PREFIX = 'switchover-own-test-';

test('a folder of a process that lives is not left, and goes when it is removed', async () => {
  const folder = await OwnFolder.make(PREFIX);
  expect(existsSync(folder.path)).toBe(true);
  expect(await foldersLeft(PREFIX)).not.toContain(folder.path);
  const long = new Date(Date.now() - 3_600_000);
  utimesSync(folder.path, long, long);
  expect(await foldersLeft(PREFIX)).not.toContain(folder.path);
  folder.remove();
  expect(existsSync(folder.path)).toBe(false);
});

test('one of a process that was killed is left', async () => {
  const script = `
  import { OwnFolder } from '${root}/build/src/platform/own-folder.js';
  console.log((await OwnFolder.make('${PREFIX}')).path);
  process.kill(process.pid, 'SIGKILL');`;
  const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
  expect(await foldersLeft(PREFIX)).toContain(stdout.trim());
  spawnSync('rm', ['-r', stdout.trim()]);
});
