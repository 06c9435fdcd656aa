import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { has } from '../fixtures/daemons.ts';

const deploy = resolve(import.meta.dirname, '../../deploy');
const unit = readFileSync(resolve(deploy, 'switchover.service'), 'utf8');
const setting = (name: string) => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1];

describe('the unit for systemd', () => {
  test('runs the daemon as a user that can own key files, also renewed ones', () => {
    expect(setting('DynamicUser')).toBeUndefined();
    expect(setting('LoadCredential')).toBeUndefined();
    const users = readFileSync(resolve(deploy, 'switchover.sysusers'), 'utf8');
    expect(users).toMatch(new RegExp(`^u ${setting('User')} `, 'm'));
    expect(setting('ExecReload')).toContain('-HUP');
  });

  test('lets it write to the folder of its state, and to nothing else', () => {
    expect(setting('ProtectSystem')).toBe('strict');
    expect(setting('WorkingDirectory')).toBe(`/var/lib/${setting('StateDirectory')}`);
  });

  test.skipIf(!has('systemd-analyze'))('is without fault, as systemd sees it', () => {
    const { status, stderr } = spawnSync('systemd-analyze', [
      'verify',
      resolve(deploy, 'switchover.service'),
    ]);
    expect(String(stderr)).toBe('');
    expect(status).toBe(0);
  });
});
