import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BorrowedSettings, restoreLeft } from '../../src/qemu/borrowed-settings.ts';
import { connectMonitor } from '../../src/qemu/connect-monitor.ts';
import { readSettings } from '../../src/qemu/migration-settings.ts';
import type { Qmp } from '../../src/qemu/qmp.ts';
import { root } from '../fixtures/command.ts';
import { installedQemu, OthersMachine, qemu10, withoutQemu10 } from '../fixtures/others-machine.ts';
import { withoutQemu } from '../fixtures/qemu.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-settings-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const wanted = {
  capabilities: { events: true, 'return-path': true },
  parameters: { 'max-bandwidth': 12_345, 'downtime-limit': 7 },
};

describe.each([
  ['the installed version', installedQemu, withoutQemu],
  ['version 10', qemu10, withoutQemu10],
])('settings of a QEMU of %s', (_, version, missing) => {
  let machine: OthersMachine;
  let qmp: Qmp;
  beforeAll(async () => {
    if (missing !== undefined) return;
    machine = await OthersMachine.start(version);
    qmp = await connectMonitor(machine.ours);
  });
  afterAll(async () => {
    qmp?.close();
    await machine?.end();
  });
  const place = () => ({ socket: machine.ours, folder });

  test.skipIf(missing)('are ours for a while, and then as before', async () => {
    const before = await readSettings(qmp);
    const borrowed = await BorrowedSettings.borrow(qmp, wanted, place());
    expect(await readSettings(qmp)).toEqual({
      capabilities: { ...before.capabilities, ...wanted.capabilities },
      parameters: { ...before.parameters, ...wanted.parameters },
    });
    await borrowed.restore();
    expect(await readSettings(qmp)).toEqual(before);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.skipIf(missing)('stay as they were if one is not known', async () => {
    const before = await readSettings(qmp);
    const unknown = { ...wanted, capabilities: { telepathy: true } };
    await expect(BorrowedSettings.borrow(qmp, unknown, place())).rejects.toThrow("'telepathy'");
    expect(await readSettings(qmp)).toEqual(before);
  });

  test.skipIf(missing)(
    'are restored after who borrowed them was killed, and not while it lives',
    async () => {
      const before = await readSettings(qmp);
      qmp.close();
      const script = `
      import { BorrowedSettings } from '${root}/build/src/qemu/borrowed-settings.js';
      import { connectMonitor } from '${root}/build/src/qemu/connect-monitor.js';
      const [socket, folder, wanted] = process.argv.slice(1);
      await BorrowedSettings.borrow(await connectMonitor(socket), JSON.parse(wanted), { socket, folder });
      console.log('borrowed');
      setInterval(() => {}, 1e6);`;
      const args = ['--input-type=module', '-e', script, machine.ours, folder, JSON.stringify(wanted)];
      const other = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
      await once(other.stdout, 'data');
      expect(await restoreLeft(folder)).toEqual([
        {
          socket: machine.ours,
          did: 'left alone',
          reason: `process ${other.pid} uses its migration settings`,
        },
      ]);
      other.kill('SIGKILL');
      await once(other, 'exit');
      expect(await restoreLeft(folder)).toEqual([{ socket: machine.ours, did: 'restored' }]);
      expect(readdirSync(folder)).toEqual([]);
      qmp = await connectMonitor(machine.ours);
      expect(await readSettings(qmp)).toEqual(before);
    },
  );
});
