import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { readKey } from '../../src/transport/key-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-key-'));
const file = join(folder, 'api.key');
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

test('what systemd hands to a service may be read by its group, which nobody is in', () => {
  writeFileSync(file, 'k'.repeat(40));
  chmodSync(file, 0o440);
  expect(() => readKey(file)).toThrow(/that nobody else can read: chmod 600 .*mode 440/);
  vi.stubEnv('CREDENTIALS_DIRECTORY', `${folder}-of-another`);
  expect(() => readKey(file)).toThrow(/mode 440/);
  vi.stubEnv('CREDENTIALS_DIRECTORY', folder);
  expect(readKey(file)).toHaveLength(40);
  chmodSync(file, 0o444);
  expect(() => readKey(file)).toThrow(/mode 444/);
});
