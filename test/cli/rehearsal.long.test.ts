import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest';
import { settingsFolder } from '../../src/qemu/borrowed-settings.ts';
import { type MigrationSettings, readSettings } from '../../src/qemu/migration-settings.ts';
import { parseRecording } from '../../src/workload/recording.ts';
import { main, switchover } from '../fixtures/command.ts';
import { installedQemu, OthersMachine, qemu10, withoutQemu10 } from '../fixtures/others-machine.ts';
import { withoutQemu } from '../fixtures/qemu.ts';
import { until } from '../fixtures/until.ts';
import { writtenPages } from '../fixtures/writing-bios.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-rehearsal-'));
afterAll(() => rmSync(folder, { recursive: true }));

let machine: OthersMachine;
let before: MigrationSettings;

const statusOf = async () => (await machine.theirs.execute<{ status?: string }>('query-migrate')).status;
const isRunning = async () => (await machine.theirs.execute<{ running: boolean }>('query-status')).running;

describe.skipIf(withoutQemu10)('a rehearsal of a VM that runs', () => {
  const name = `guest ${process.pid}`;
  beforeAll(async () => {
    machine = await OthersMachine.start(qemu10, '-name', name);
    before = await readSettings(machine.theirs);
  });
  afterEach(async () => {
    expect(await isRunning()).toBe(true);
    expect(await readSettings(machine.theirs)).toEqual(before);
  });
  afterAll(() => machine.end());

  test('tells page by page what its guest writes', async () => {
    const out = join(folder, 'vm.ndjson.gz');
    const { code, stdout, stderr } = await switchover(
      ...['record', '--qmp', machine.ours, '--for', '2s', '--out', out],
    );
    expect({ code, stderr: stderr.split('\n')[0] }).toEqual({
      code: 0,
      stderr: `recording the VM at ${machine.ours} for 2 s, a sample every 100 ms; Ctrl-C ends it early`,
    });
    expect(stdout).toContain(`${name} (the VM at`);
    const bytes = readFileSync(out);
    const header = JSON.parse(gunzipSync(bytes).toString().split('\n')[0]!);
    expect(header).toMatchObject({ method: 'rehearsed-migration', pageSizeBytes: 4096, intervalMs: 100 });
    // 16 MiB and the firmware's blocks, nearly all of it zeros.
    expect(header.pages).toBeGreaterThan(4096);
    expect(header.zeroPages).toBeGreaterThan(3_800);
    const { writePages } = parseRecording(bytes, out);
    // It writes them from 64 KiB on, without pause.
    const written = [...new Set(writePages)].sort((one, other) => one - other);
    expect(written).toEqual(Array.from({ length: writtenPages }, (_, index) => 16 + index));
    expect(writePages.length / header.samples).toBeGreaterThan(0.8 * writtenPages);
    expect(await statusOf()).toBe('cancelled');
  });

  test('has rounds as long as they are asked for', async () => {
    const out = join(folder, 'slow.ndjson.gz');
    const args = ['--for', '2s', '--interval', '500ms', '--quiet', '--json', '-'];
    const { code, stdout } = await switchover('record', '--qmp', machine.ours, '--out', out, ...args);
    expect({ code, ...JSON.parse(stdout) }).toMatchObject({ code: 0, intervalMs: 500 });
    const times = gunzipSync(readFileSync(out)).toString().trim().split('\n').slice(1);
    const atMs = times.map((line) => JSON.parse(line)[0] as number);
    expect(atMs.at(-1)).toBeGreaterThan(1_700);
    for (const [index, ms] of atMs.entries()) expect(ms - (atMs[index - 1] ?? 0)).toBeGreaterThan(440);
  });

  test('that is interrupted keeps what it has', async () => {
    const out = join(folder, 'interrupted.gz');
    const args = [main, 'record', '--qmp', machine.ours, '--out', out, '--interval', '400ms', '--quiet'];
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    await until('it has begun', statusOf, (status) => status === 'active');
    await sleep(1_500);
    child.kill('SIGINT');
    expect(await once(child, 'exit')).toEqual([0, null]);
    expect(parseRecording(readFileSync(out), out).writePages.length).toBeGreaterThan(writtenPages);
  });

  test('that is killed leaves settings that `recover` restores, and the guest runs on', async () => {
    // A folder of its own for what is temporary: other tests have theirs in /tmp.
    vi.stubEnv('TMPDIR', folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    const args = [main, 'record', '--qmp', machine.ours, '--out', join(folder, 'killed.gz'), '--quiet'];
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    await until('it has begun', statusOf, (status) => status === 'active');
    child.kill('SIGKILL');
    await once(child, 'exit');
    expect(await readSettings(machine.theirs)).not.toEqual(before);
    expect(await isRunning()).toBe(true);
    const recovered = await switchover('recover', settingsFolder());
    expect(recovered.stdout).toContain(`migration settings of the VM at ${machine.ours} are as before`);
    expect(existsSync(join(folder, 'killed.gz'))).toBe(false);
    expect(readdirSync(folder).filter((left) => left.startsWith('switchover-stream-'))).toEqual([]);
  });

  test('that is killed is made good by the next one', async () => {
    const args = [main, 'record', '--qmp', machine.ours, '--out', join(folder, 'killed.gz'), '--quiet'];
    const child = spawn(process.execPath, args, { stdio: 'ignore' });
    await until('it has begun', statusOf, (status) => status === 'active');
    child.kill('SIGKILL');
    await once(child, 'exit');
    const next = await switchover(
      ...['record', '--qmp', machine.ours, '--for', '500ms', '--out', join(folder, 'next.gz'), '--quiet'],
    );
    expect(next.code).toBe(0);
  });

  test('that somebody cancels says so, and keeps nothing', async () => {
    const out = join(folder, 'cancelled.gz');
    const recording = switchover('record', '--qmp', machine.ours, '--out', out, '--quiet');
    await until('it has begun', statusOf, (status) => status === 'active');
    await sleep(500);
    await machine.theirs.execute('migrate_cancel');
    const { code, stderr } = await recording;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^switchover: the migration to nowhere was ended by others: cancel/),
    });
    expect(existsSync(out)).toBe(false);
  });

  test('predicts how its migration would go', async () => {
    const { code, stdout } = await switchover(
      ...['predict', '--qmp', machine.ours, '--rehearse', '2s', '--max-bandwidth', '8Mbit/s', '--json', '-'],
    );
    expect(code).toBe(0);
    const { endsByItself, leftOut } = JSON.parse(stdout);
    // 128 pages take 0.5 s at this rate, and are dirty again by then: more than the 300 ms that are allowed.
    expect(endsByItself).toBeLessThan(0.1);
    expect(leftOut.join()).not.toContain('pages of zeros');
  });

  test('is found possible by the doctor, who says what to change', async () => {
    const sound = await switchover('doctor', '--qmp', machine.ours);
    expect(sound.stdout).toMatch(/^ok {3}version +10\.0/);
    expect(sound.stdout).toContain('monitors');
    expect(sound.code).toBe(0);
    const set = (state: boolean) =>
      machine.theirs.execute('migrate-set-capabilities', {
        capabilities: [{ capability: 'multifd', state }],
      });
    await set(true);
    const unsound = await switchover('doctor', '--qmp', machine.ours);
    await set(false);
    expect(unsound.code).toBe(1);
    expect(unsound.stdout).toMatch(/no +capabilities +multifd/);
  });
});

describe.skipIf(withoutQemu)('of a QEMU that is too old', () => {
  beforeEach(async () => {
    machine = await OthersMachine.start(installedQemu);
  });
  afterEach(() => machine.end());

  test('nothing is rehearsed, and nothing is changed', async () => {
    before = await readSettings(machine.theirs);
    const { code, stderr } = await switchover(
      ...['record', '--qmp', machine.ours, '--out', join(folder, 'old.gz'), '--quiet'],
    );
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        'switchover: this QEMU is too old: a rehearsal needs 8.2 or newer, or its guest could be stopped\n',
    });
    expect(await readSettings(machine.theirs)).toEqual(before);
    expect((await switchover('doctor', '--qmp', machine.ours)).stdout).toContain('older than 8.2');
  });
});
