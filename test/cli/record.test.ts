import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { parseRecording } from '../../src/workload/recording.ts';
import { main, switchover } from '../fixtures/command.ts';
import { PageWriter } from '../fixtures/page-writer.ts';
import { noRedis, RedisServer } from '../fixtures/redis-server.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-'));
afterAll(() => rmSync(folder, { recursive: true }));

const cleanUp: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const action of cleanUp.splice(0).reverse()) await action();
});

if (process.platform !== 'linux') console.log('skipped: recordings of processes, which take Linux');

function recordingIn(file: string) {
  const bytes = readFileSync(file);
  return {
    header: JSON.parse(gunzipSync(bytes).toString().split('\n')[0]!),
    recording: parseRecording(bytes, file),
  };
}

function scenarioFor(file: string, pages: number): string {
  const scenario = join(folder, 'scenario.yaml');
  writeFileSync(
    scenario,
    [
      `guest: { pages: ${pages}, program: { kind: trace, file: ${file} } }`,
      'link: { rate: 200Mbit/s }',
      'migration: { stop: { rule: rounds, rounds: 3 } }',
    ].join('\n'),
  );
  return scenario;
}

describe.skipIf(process.platform !== 'linux')('record', () => {
  test('a virtual machine’s memory in a file becomes the guest of a scenario', async () => {
    const ram = join(folder, 'ram');
    const content = Buffer.alloc(500 * 4096, 7);
    writeFileSync(ram, content);
    let turn = 0;
    const writer = setInterval(() => {
      content[(turn % 50) * 4096]!++;
      turn++;
      writeFileSync(ram, content, { flag: 'r+' });
    }, 20);
    cleanUp.push(() => clearInterval(writer));
    const out = join(folder, 'ram.ndjson.gz');
    const { code, stdout, stderr } = await switchover(
      ...['record', '--file', ram, '--for', '1s', '--interval', '50ms', '--out', out],
    );
    expect(stderr).toMatch(/recording the memory in ram for 1 s, a sample every 50 ms/);
    expect(code).toBe(0);
    expect(stdout).toContain('pages        500, 1.95 MiB');
    const { header, recording } = recordingIn(out);
    expect(header.samples + header.missedSamples).toBe(20);
    expect(recording.writePages.length).toBeGreaterThan(0);
    expect(recording.writePages.every((page) => page < 50)).toBe(true);
    const ran = await switchover('run', scenarioFor(out, 500), '--json', '-', '--quiet');
    expect(JSON.parse(ran.stdout)).toMatchObject({ outcome: 'completed', guest: { pages: 500 } });
  });

  test('ends early at Ctrl-C, and keeps what it has', async () => {
    const writer = await PageWriter.start(100);
    cleanUp.push(() => writer.end());
    const out = join(folder, 'early.ndjson.gz');
    const child = recorder('--pid', String(writer.pid), '--for', '10min', '--interval', '5ms', '--out', out);
    const ended = once(child, 'exit');
    await once(child.stderr!, 'data');
    child.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    expect(recordingIn(out).header.samples).toBeGreaterThan(0);
  });

  test('fails when the process ends meanwhile, and leaves nothing', async () => {
    const writer = await PageWriter.start(100);
    cleanUp.push(() => writer.end());
    const own = mkdtempSync(join(folder, 'vanished-'));
    const child = recorder('--pid', String(writer.pid), '--for', '10min', '--out', join(own, 'r.gz'));
    let stderr = '';
    child.stderr!.on('data', (text) => (stderr += text));
    await once(child.stderr!, 'data');
    expect(readdirSync(own).length).toBe(1);
    const ended = once(child, 'exit');
    await writer.end();
    expect(await ended).toEqual([1, null]);
    expect(stderr).toMatch(/node \(process \d+\) has no memory: it has ended/);
    expect(readdirSync(own)).toEqual([]);
  });

  test('says of a process that may not be read who may read it', (context) => {
    const root = process.getuid!() === 0;
    if (!root && statSync('/proc/1').uid === process.getuid!())
      context.skip('in this container process 1 is this user’s own');
    const own = mkdtempSync(join(folder, 'refused-'));
    chmodSync(folder, 0o755);
    chmodSync(own, 0o777);
    // Nobody may not read what is root's; anybody else may not read process 1.
    const asWhom = { cwd: own, encoding: 'utf8', ...(root ? { uid: 65_534, gid: 65_534 } : {}) } as const;
    if (spawnSync(process.execPath, [main, '--help'], asWhom).status !== 0) {
      console.log('skipped: a process that may not be read; the user nobody cannot start the program here');
      context.skip();
    }
    const { status, stderr } = spawnSync(process.execPath, [main, 'record', '--pid', '1'], asWhom);
    expect(stderr).toMatch(
      /the memory of .* \(process 1\) may not be read: run as root \(CAP_SYS_PTRACE\), or as its owner/,
    );
    expect(status).toBe(2);
    expect(readdirSync(own)).toEqual([]);
  });

  test.each<[string, () => string[], number, RegExp]>([
    [
      'nothing to record',
      () => [],
      2,
      /^--pid: expected one of --pid N, --file RAM, --qmp SOCKET and --domain NAME, found none\n$/,
    ],
    [
      'two things to record',
      () => ['--pid', '1', '--file', 'x'],
      2,
      /^--pid: expected one of .*, found "1", "x"\n$/,
    ],
    [
      'a process that is no number',
      () => ['--pid', '-1'],
      2,
      /--pid: expected the number of another process/,
    ],
    [
      'times that are none, all at once',
      () => ['--pid', '0', '--for', 'ever', '--interval', '1us'],
      2,
      /--interval: expected .*\n--for: expected .*\n--pid: expected/,
    ],
    [
      'less time than an interval',
      () => ['--pid', '1', '--for', '10ms'],
      2,
      /^--for: expected at least an interval, /,
    ],
    [
      'a process that is not there',
      () => ['--pid', '4194304'],
      1,
      /^switchover: there is no process 4194304\n$/,
    ],
    [
      'a file that is not there',
      () => ['--file', join(folder, 'none')],
      1,
      /^switchover: cannot read .*none: ENOENT/,
    ],
    ['a file without a page', () => ['--file', sparse('empty', 0)], 1, /the file is empty/],
    [
      'a file of half a page',
      () => ['--file', sparse('half', 2048)],
      1,
      /2048 bytes are not a whole number of pages/,
    ],
    [
      'more memory than fits a copy',
      () => ['--file', sparse('huge', 2 ** 40)],
      1,
      /huge has 1 TiB in memory; the baseline copy may use at most .* of what is free here/,
    ],
    [
      'a place where nothing can be written',
      () => ['--pid', '1', '--out', '/proc/r.gz'],
      1,
      /cannot write \/proc\/r.gz/,
    ],
  ])('refuses %s', async (_, args, code, message) => {
    const own = mkdtempSync(join(folder, 'refused-'));
    const ended = await switchover('record', '--quiet', '--out', join(own, 'r.gz'), ...args());
    expect(ended.stderr).toMatch(message);
    expect(ended).toMatchObject({ code, stdout: '' });
    expect(readdirSync(own)).toEqual([]);
  });
});

describe.skipIf(noRedis !== undefined)('a real redis-server under a real load', () => {
  const KEYS = 20_000;
  const VALUE_BYTES = 512;

  test('is recorded, predicted and run in virtual time; what is recorded agrees with what was written', async () => {
    const redis = await RedisServer.start();
    cleanUp.push(() => redis.end());
    await redis.set(0, KEYS);
    redis.startLoad(1_000, 50);
    const out = join(folder, 'redis.ndjson.gz');
    const record = ['record', '--pid', String(redis.pid), '--interval', '20ms', '--quiet', '--out', out];
    expect((await switchover(...record, '--for', '2s')).code).toBe(0);
    const { header, recording } = recordingIn(out);
    expect(header.source).toBe(`redis-server (process ${redis.pid})`);
    // All values are in its memory; of these only 1,000 are set again and again, and those were certainly changed.
    expect(recording.pages).toBeGreaterThan((KEYS * VALUE_BYTES) / 4096);
    expect(recording.pages).toBeLessThanOrEqual(residentPages(redis.pid));
    const touched = new Set(recording.writePages).size;
    expect(touched).toBeGreaterThan((1_000 * VALUE_BYTES) / 4096);
    expect(touched).toBeLessThan(recording.pages);

    const scenario = scenarioFor(out, recording.pages);
    const predicted = JSON.parse((await switchover('predict', scenario, '--json', '-')).stdout);
    expect(predicted).toMatchObject({ converges: true, rounds: 3 });
    const ran = JSON.parse((await switchover('run', scenario, '--json', '-', '--quiet')).stdout);
    expect(ran).toMatchObject({ outcome: 'completed', predicted: { downtimeNs: predicted.downtimeNs } });
    expect(ran.rounds.length).toBe(3);
    expect(ran.rounds[0].dirtyPages).toBe(recording.pages);
  });

  test('has every page changed that holds a value when every value is set anew, and next to none when idle', async () => {
    const redis = await RedisServer.start();
    cleanUp.push(() => redis.end());
    await redis.set(0, KEYS);
    const out = join(folder, 'rest.ndjson.gz');
    const args = ['--pid', String(redis.pid), '--interval', '20ms', '--out', out];
    expect((await switchover('record', ...args, '--for', '500ms')).code).toBe(0);
    const idle = new Set(recordingIn(out).recording.writePages).size;
    const child = recorder(...args, '--for', '10min');
    const ended = once(child, 'exit');
    await once(child.stderr!, 'data');
    // The recording begins at some time during the first of them, and sees all of the last.
    for (let i = 0; i < 4; i++) await redis.set(0, KEYS);
    child.kill('SIGINT');
    expect(await ended).toEqual([0, null]);
    const busy = new Set(recordingIn(out).recording.writePages).size;
    expect(busy).toBeGreaterThanOrEqual((KEYS * VALUE_BYTES) / 4096);
    expect(idle).toBeLessThan(busy / 10);
  });

  test('answers whether it would converge, by the model and in virtual time, and keeps nothing unasked', async () => {
    const redis = await RedisServer.start();
    cleanUp.push(() => redis.end());
    await redis.set(0, KEYS);
    redis.startLoad(5_000, 100);
    const own = mkdtempSync(join(folder, 'predict-'));
    const predict = (...args: string[]) =>
      withTemporaryFolder(own, 'predict', '--pid', String(redis.pid), '--quiet', ...args);
    const ended = predict('--for', '1s', '--set', 'link.rate=1Gbit/s', '--json', '-');
    const { converges, rounds, downtimeNs, virtual, recording } = JSON.parse(await ended);
    expect(converges).toBe(true);
    expect(rounds).toBeGreaterThanOrEqual(1);
    expect(downtimeNs).toBeLessThanOrEqual(300e6);
    expect(virtual.migrations).toBeGreaterThanOrEqual(3);
    expect(virtual.completed).toBe(virtual.migrations);
    expect(virtual.downtimeNs.median).toBeLessThan(1.1 * 300e6);
    expect(recording).toMatchObject({
      format: 'dirty-trace/1',
      source: `redis-server (process ${redis.pid})`,
    });
    const slow = predict(
      '--for',
      '1s',
      '--set',
      'link.rate=1MB/s',
      '--set',
      'migration.stop.limit=1ms',
      '--json',
      '-',
    );
    expect(JSON.parse(await slow)).toMatchObject({
      converges: false,
      downtimeNs: null,
      virtual: { completed: 0 },
    });
    expect(readdirSync(own)).toEqual([]);
  });
});

describe.skipIf(process.platform !== 'linux')('predict --pid', () => {
  test('says what is wrong with the scenario before anything is recorded', async () => {
    const noRate = await switchover('predict', '--pid', '1', '--for', '10min');
    expect(noRate).toMatchObject({ code: 2, stderr: expect.stringContaining('link: expected') });
    const twice = await switchover('predict', 'config/10-recordings.yaml', '--pid', '1', '--for', '10min');
    expect(twice.code).toBe(2);
    expect(twice.stderr).toContain(
      'guest.program.file: expected nothing, because --pid says what the guest is',
    );
  });

  test('is what --for, --interval and --out are for', async () => {
    const { code, stderr } = await switchover(
      ...['predict', 'config/12-slides.yaml', '--for', '1s', '--interval', '1s', '--out', 'x'],
    );
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /--for: expected to be used together with --pid N.*\n--interval: expected .*\n--out: expected/,
    );
  });

  test('or a scenario is needed', async () => {
    const { code, stderr } = await switchover('predict');
    expect(code).toBe(2);
    expect(stderr).toContain(
      'file: expected a scenario, --pid N, --from FILE, --qmp SOCKET or --domain NAME, found nothing',
    );
  });
});

function recorder(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [main, 'record', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  cleanUp.push(() => void child.kill('SIGKILL'));
  return child;
}

/** Standard output of a command whose temporary files would lie here. */
async function withTemporaryFolder(folder: string, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [main, ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let stdout = '';
  child.stdout!.on('data', (text) => (stdout += text));
  await once(child, 'close');
  return stdout;
}

function sparse(name: string, bytes: number): string {
  const file = join(folder, name);
  writeFileSync(file, '');
  truncateSync(file, bytes);
  return file;
}

/** All of its pages that are in memory, writable or not. */
function residentPages(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]) / 4;
}
