import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root, switchover } from '../fixtures/command.ts';

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

test.each(['--version', '-V'])('%s prints the version', async (flag) => {
  expect(await switchover(flag)).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});
