import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type MigrationSettings, readSettings } from '../../src/qemu/migration-settings.ts';
import { switchover } from '../fixtures/command.ts';
import { installedQemu, OthersMachine, qemu10, withoutQemu10 } from '../fixtures/others-machine.ts';
import { withoutQemu } from '../fixtures/qemu.ts';
import { writtenPages } from '../fixtures/writing-bios.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-promised-'));
afterAll(() => rmSync(folder, { recursive: true }));

const link = ['--set', 'link.capacity=200Mbit/s', '--set', 'link.rate=100Mbit/s'];
/** Its guest writes this much all the time, so that every stop has it. */
const hotBytes = writtenPages * 4096;

const isRunning = async ({ theirs }: OthersMachine) =>
  (await theirs.execute<{ running: boolean }>('query-status')).running;

describe.skipIf(withoutQemu10)('a machine that runs', () => {
  let machine: OthersMachine;
  let before: MigrationSettings;
  beforeEach(async () => {
    machine = await OthersMachine.start(qemu10);
    before = await readSettings(machine.theirs);
  });
  afterEach(() => machine.end());

  const isAsBefore = async () => {
    expect(await isRunning(machine)).toBe(true);
    expect(await readSettings(machine.theirs)).toEqual(before);
  };

  test('is rehearsed and planned for; its recording is kept beside the scenario', async () => {
    const [out, json] = [join(folder, 'planned.yaml'), join(folder, 'plan.json')];
    const target = 'downtime<=100ms@0.95, total<=20s@0.95';
    const { code, stderr } = await switchover(
      ...['plan', '--qmp', machine.ours, '--rehearse', '2s', '--target', target, ...link],
      ...['--out', out, '--json', json, '--quiet'],
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { chosen, certificate, settings, leftOut } = JSON.parse(readFileSync(json, 'utf8'));
    expect(certificate.lowerBound).toBeGreaterThan(0.89);
    const stopRate = settings.qmp[0].arguments['avail-switchover-bandwidth'];
    expect(chosen['link.stopRate']).toBe(`${(8 * stopRate) / 1e6}Mbit/s`);
    expect(stopRate).toBeGreaterThan((0.9 * hotBytes) / 0.1);
    expect(leftOut.join()).toContain('pages of zeros');
    expect(existsSync(join(folder, 'planned.ndjson.gz'))).toBe(true);
    expect((await switchover('run', out, '--runs', '3', '--quiet')).code).toBe(0);
    await isAsBefore();
  });

  test('is planned for, moved, and held against the target', async () => {
    const waiting = await OthersMachine.start(qemu10, '-incoming', 'defer');
    try {
      const { code, stdout, stderr } = await switchover(
        ...['migrate', '--qmp', machine.ours, '--to-qmp', waiting.ours, '--rehearse', '2s'],
        ...['--target', 'downtime<=2s@0.9', ...link, '--journal', folder, '--json', '-'],
      );
      expect({ code, said: stderr.split('\n').slice(1).join() }).toEqual({ code: 0, said: '' });
      const { outcome, downtimeNs, plan, promise } = JSON.parse(stdout);
      expect(outcome).toBe('completed');
      const [clause] = promise.clauses;
      expect(clause).toMatchObject({
        metric: 'downtime',
        limitNs: 2e9,
        probability: 0.9,
        measuredNs: downtimeNs,
      });
      expect(clause.marginNs).toBe(2e9 - downtimeNs);
      expect([clause.kept, promise.kept]).toEqual([downtimeNs <= 2e9, downtimeNs <= 2e9]);
      expect(promise.certificate.lowerBound).toBeGreaterThanOrEqual(0.9);
      expect(promise.chosen['link.stopRate']).toBe(`${(8 * plan.stopRateBytesPerSecond) / 1e6}Mbit/s`);
      expect([await isRunning(machine), await isRunning(waiting)]).toEqual([false, true]);
    } finally {
      await waiting.end();
    }
  });

  test('stays where it is if no plan keeps the target', async () => {
    const { code, stdout } = await switchover(
      ...['migrate', '--qmp', machine.ours, '--to-qmp', join(folder, 'nobody'), '--rehearse', '1s'],
      ...['--target', 'downtime<=200ms', '--set', 'link.rate=2Mbit/s', '--set', 'guest.device.time=300ms'],
    );
    expect(code).toBe(3);
    expect(stdout).toContain('IMPOSSIBLE  every stop has 300 ms of guest.device.time');
    await isAsBefore();
  });

  test('is not touched if the scenario or the target is none', async () => {
    const refused = async (...args: string[]) => {
      const { code, stderr } = await switchover('migrate', '--qmp', machine.ours, '--to-qmp', 'x', ...args);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await refused('--target', 'soon', ...link)).toContain('--target: expected a target such as');
    expect(await refused('--target', 'total<=9s', '--set', 'link.latency=1ms')).toContain('link');
    expect(await refused('--rehearse', '2s', ...link)).toContain(
      '--rehearse: expected to be used together with --target',
    );
    await isAsBefore();
  });
});

describe.skipIf(withoutQemu)('a machine of any version', () => {
  test('says how fast it dirties its memory, and is planned for', async () => {
    const machine = await OthersMachine.start(installedQemu);
    try {
      const { code, stdout } = await switchover(
        ...['plan', '--qmp', machine.ours, '--target', 'downtime<=100ms@0.9', ...link, '--json', '-'],
      );
      expect(code).toBe(0);
      const { chosen, leftOut } = JSON.parse(stdout);
      expect(Number.parseFloat(chosen['link.stopRate']) * 1e6).toBeGreaterThan((0.9 * 8 * hotBytes) / 0.1);
      expect(leftOut.join()).toContain('which pages are hot');
    } finally {
      await machine.end();
    }
  });
});
