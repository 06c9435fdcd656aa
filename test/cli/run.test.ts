import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ended, main, root, switchover } from '../fixtures/command.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function scenario(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, text);
  return file;
}

const small = `
describe: A small guest
guest: { pages: 400, program: { kind: classes, classes: [ { pages: 50, writesPerSecond: 50 } ] } }
link: { rate: 100Mbit/s }
migration: { verify: full, observe: 400ms }
`;

const records = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('run', () => {
  test('prints one record a line and nothing else with --json -', async () => {
    const file = scenario('json.yaml', `${small}\ncompare: { migration.order: [address, lru] }`);
    const { code, stdout } = await switchover('run', file, '--runs', '3', '--seed', '5', '--json', '-');
    expect(code).toBe(0);
    const all = records(stdout);
    expect(all.map(({ seed, plan }) => [seed, plan.order])).toEqual(
      [5, 6, 7].flatMap((seed) => [
        [seed, 'address'],
        [seed, 'lru'],
      ]),
    );
    expect(all[0]).toMatchObject({
      schema: 'switchover.record/1',
      world: 'virtual',
      scenario: 'json',
      outcome: 'completed',
      guest: { pages: 400, pageSizeBytes: 4096 },
      reservations: {
        guest: null,
        sender: null,
        scheduler: 'none',
        processors: 1,
        cpuPerPageNs: 0,
        cpuPerHandoverNs: 0,
        hogs: 0,
      },
    });
  });

  test('the same seed gives the same record, to the letter', async () => {
    const file = scenario('same.yaml', small);
    const once = await switchover('run', file, '--json', '-', '--seed', '3');
    const again = await switchover('run', file, '--json', '-', '--seed', '3');
    const other = await switchover('run', file, '--json', '-', '--seed', '4');
    expect(again.stdout).toBe(once.stdout);
    expect(other.stdout).not.toBe(once.stdout);
  });

  test('settings reach the plan', async () => {
    const file = scenario('set.yaml', small);
    const { stdout } = await switchover(
      ...['run', file, '--json', '-', '--set', 'link.stopRate=1Gbit/s'],
      ...['--set', 'migration.stop={ rounds: 4 }', '--set', 'migration.defer.threshold=0.5'],
    );
    expect(records(stdout)[0].plan).toMatchObject({
      stopRateBytesPerSecond: 125_000_000,
      stop: { rule: 'rounds', rounds: 4 },
      defer: { threshold: 0.5 },
    });
  });

  test('in threads: a table with prediction beside measurement, rounds on standard error', async () => {
    const file = scenario('table.yaml', small);
    const { code, stdout, stderr } = await switchover('run', file, '--world', 'threads', '--runs', '2');
    expect(code).toBe(0);
    expect(stdout).toContain('virtual');
    expect(stdout).toContain('identical');
    expect(stdout).toContain('0/0');
    expect(stdout).toContain('fewer than six runs');
    expect(stderr).toMatch(/round 1: 400 pages in .* dirty/);
  });

  test('a trace that was written replays to the same', async () => {
    const file = scenario('trace.yaml', small);
    const trace = join(folder, 'trace.ndjson');
    await switchover('run', file, '--world', 'threads', '--set', 'migration.order=lru', '--trace', trace);
    const { code, stdout } = await switchover('replay', trace);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^migration 1: \d+ steps, completed, downtime .*: the same$/m);
    writeFileSync(trace, readFileSync(trace, 'utf8').replace(/"sentPages":400/, '"sentPages":399'));
    expect((await switchover('replay', trace)).code).toBe(1);
  });

  test('--to uses a destination that is there, one migration after another', async () => {
    const file = scenario('to.yaml', small);
    const receiver = spawn(process.execPath, [main, 'receive', '--listen', '127.0.0.1:0', '--pages', '400']);
    const ended = new Promise((done) => receiver.once('exit', done));
    try {
      const lines = createInterface(receiver.stdout)[Symbol.asyncIterator]();
      const address = /listening on (\S+)/.exec((await lines.next()).value)![1]!;
      const run = await switchover(
        'run',
        file,
        '--world',
        'threads',
        '--to',
        address,
        '--runs',
        '2',
        '--json',
        '-',
      );
      expect(run.code).toBe(0);
      expect(records(run.stdout).map((record) => record.verified.memory)).toEqual(['identical', 'identical']);
      expect((await lines.next()).value).toContain("guest 'guest' arrived, ran and was retired");
      const refused = await switchover(
        'run',
        file,
        '--world',
        'threads',
        '--to',
        address,
        '--set',
        'guest.pages=500',
      );
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain(
        'a guest of 500 pages of 4096 bytes; expected 400 pages of 4096 bytes',
      );
    } finally {
      receiver.kill('SIGTERM');
    }
    expect(await ended).toBe(0);
  });
});

describe('bad input', () => {
  const neverAStack = ({ stderr }: Ended) => expect(stderr).not.toMatch(/\n\s+at |node:internal/);

  test('a scenario with several errors: all of them, each with path, expectation and finding; exit 2', async () => {
    const file = scenario(
      'bad.yaml',
      'guest: { pages: many, program: { kind: magic }, colour: red }\nlink: { rate: 50 bananas }\nruns: 0\n',
    );
    const ended = await switchover('run', file);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain('guest.pages: expected a whole number from 2 to 1073741824, found "many"');
    expect(ended.stderr).toContain('guest.colour: expected no such key, found "red"');
    expect(ended.stderr).toMatch(/link\.rate: expected a rate such as 50Mbit\/s .*, found "50 bananas"/);
    expect(ended.stderr).toMatch(/guest\.program.*: expected a program.*/);
    expect(ended.stderr).toMatch(/runs: expected a whole number from 1 .*, found 0/);
    neverAStack(ended);
  });

  test.each([
    ['no such command', ['fly'], 2, /unknown command/],
    ['no such option', ['run', 'x.yaml', '--fast'], 2, /unknown option/],
    ['no such world', ['run', 'x.yaml', '--world', 'moon'], 2, /virtual, threads/],
    [
      'no file',
      ['run', 'nowhere.yaml'],
      1,
      /cannot read nowhere.yaml: there is no such file.*03-page-orders/,
    ],
    [
      'a setting without a value',
      ['run', '01-first-migration', '--set', 'link.rate'],
      2,
      /--set: expected path=value/,
    ],
    [
      'a count that is none',
      ['run', '01-first-migration', '--runs', 'few'],
      2,
      /--runs: expected a whole number/,
    ],
    [
      'an address that is none',
      ['receive', '--listen', 'here'],
      2,
      /--listen: expected HOST:PORT, found "here"/,
    ],
    ['a trace that is none', ['replay', 'package.json'], 1, /package.json:1: not a line of a trace/],
  ])('%s', async (_, args, code, message) => {
    const ended = await switchover(...args);
    expect(ended.code).toBe(code);
    expect(ended.stderr).toMatch(message);
    neverAStack(ended);
  });

  test('a damaged recording: one line that says where; exit 1', async () => {
    const whole = readFileSync(join(root, 'traces/vlc-http-stream.ndjson.gz'));
    writeFileSync(join(folder, 'cut.ndjson.gz'), whole.subarray(0, 9_000));
    const file = scenario(
      'cut.yaml',
      'guest: { pages: 12928, program: { kind: trace, file: cut.ndjson.gz } }\nlink: { rate: 1Gbit/s }\n',
    );
    const ended = await switchover('run', file);
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(
      /^switchover: .*cut\.ndjson\.gz: not a whole gzip file \(unexpected end of file\)$/m,
    );
    neverAStack(ended);
  });

  test('a port in use: one line; exit 1', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => server.once('listening', done));
    const { port } = server.address() as { port: number };
    const ended = await switchover('receive', '--listen', `127.0.0.1:${port}`);
    server.close();
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(
      new RegExp(`^switchover: cannot listen on 127.0.0.1:${port}: .*EADDRINUSE`, 'm'),
    );
    neverAStack(ended);
  });

  test('no destination: one line; exit 1', async () => {
    const file = scenario('absent.yaml', small);
    const ended = await switchover('run', file, '--world', 'threads', '--to', '127.0.0.1:1', '--quiet');
    expect(ended.code).toBe(1);
    expect(ended.stderr).toBe(
      'switchover: no destination at 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1\n',
    );
  });
});

test('a run that is killed leaves no destination process behind', async () => {
  const file = scenario('killed.yaml', `${small}\nruns: 50\n`);
  const child = spawn(process.execPath, [main, 'run', file, '--world', 'threads'], { cwd: root });
  await new Promise((done) => child.stderr.once('data', done));
  const descendants = childrenOf(child.pid!);
  expect(descendants.length).toBeGreaterThan(0);
  child.kill('SIGKILL');
  await new Promise((done) => child.once('exit', done));
  await expect.poll(() => descendants.filter(alive)).toEqual([]);
});

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('runs of a recording differ in where they begin, so their median has an interval', async () => {
  const cell = ['--set', 'compare={}', '--set', 'migration.order=address', '--quiet'];
  const { code, stdout } = await switchover('run', 'config/10-recordings.yaml', '--runs', '6', ...cell);
  expect(code).toBe(0);
  expect(stdout).not.toContain('do not differ');
  expect(stdout).toMatch(/\d \[\d/);
});

test('runs of a recording that begin at one instant do not differ: they are marked and have no interval', async () => {
  const args = [
    'run',
    'config/10-recordings.yaml',
    '--runs',
    '6',
    '--set',
    'compare={}',
    '--set',
    'migration.order=address',
    '--set',
    'guest.program.start=1s',
    '--quiet',
  ];
  const { code, stdout } = await switchover(...args);
  expect(code).toBe(0);
  expect(stdout).toContain('6 =');
  expect(stdout).toContain('do not differ, whatever their seed');
  expect(stdout).not.toMatch(/\d \[\d/);
});
