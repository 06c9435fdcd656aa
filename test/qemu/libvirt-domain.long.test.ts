import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LibvirtHost, withoutLibvirt } from '../fixtures/libvirt-host.ts';

describe.skipIf(withoutLibvirt !== undefined)('a domain of libvirt, by its name', () => {
  let host: LibvirtHost;
  beforeAll(async () => {
    host = await LibvirtHost.start();
    await host.create('web');
  });
  afterAll(() => host?.end());

  const says = async (...args: readonly string[]) => (await host.virsh(...args)).stdout.trim();
  const settings = async () =>
    (await says('qemu-monitor-command', 'web', '{"execute":"query-migrate-parameters"}')).replace(
      /libvirt-\d+/,
      '',
    );

  test('is examined: it can be moved, and what libvirt will think is said', async () => {
    const { code, stdout } = await host.switchover('doctor', '--domain', 'web');
    expect(stdout).toContain('libvirt manages this machine');
    expect(stdout.replace(/\s+/g, ' ')).toContain('virsh resume would run the machine twice');
    expect(code).toBe(0);
  });

  test('that does not exist is refused in one line', async () => {
    const { code, stderr } = await host.switchover('watch', '--domain', 'nobody');
    expect([code, stderr]).toEqual([1, "switchover: domain nobody: failed to get domain 'nobody'\n"]);
  });

  test('is rehearsed, with all its settings as before', async () => {
    const before = await settings();
    const out = join(host.folder, 'web.ndjson.gz');
    const args = ['record', '--domain', 'web', '--for', '1s', '--out', out, '--quiet', '--json', '-'];
    const { code, stdout } = await host.switchover(...args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).pages).toBeGreaterThanOrEqual(64 * 256);
    expect(await settings()).toBe(before);
    expect(await says('domstate', 'web')).toBe('running');
  });

  test('is left alone while libvirt is busy with it', async () => {
    const pipe = join(host.folder, 'pipe');
    spawnSync('mkfifo', [pipe]);
    // Nobody reads what libvirt dumps, so that it goes on.
    const end = openSync(pipe, 'r+');
    const dumping = host.virsh('dump', '--live', 'web', pipe);
    await expect.poll(() => says('domjobinfo', 'web')).toContain('Dump');
    const out = join(host.folder, 'busy.gz');
    const { code, stderr } = await host.switchover('record', '--domain', 'web', '--out', out, '--quiet');
    expect([code, stderr]).toEqual([2, expect.stringContaining("a job of libvirt's is under way")]);
    const reader = spawn('cat', [pipe], { stdio: 'ignore' });
    closeSync(end);
    await dumping;
    reader.kill();
  });

  test('moves under a plan; libvirt shows its source as paused', async () => {
    const waiting = await host.waiting();
    const plan = ['link.rate=200Mbit/s', 'migration.order=address'].flatMap((one) => ['--set', one]);
    const args = ['migrate', '--domain', 'web', '--to-qmp', waiting, ...plan];
    const { code, stdout, stderr } = await host.switchover(...args);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('the machine is at its destination');
    expect(stdout.replace(/\s+/g, ' ')).toContain('end it with virsh destroy');
    expect(await says('domstate', '--reason', 'web')).toBe('paused (unknown)');
    expect(await says('qemu-monitor-command', 'web', '{"execute":"query-status"}')).toContain('postmigrate');
    const again = await host.switchover(...args);
    expect(again.code).not.toBe(0);
  });
});
