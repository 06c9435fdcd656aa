import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { main, root } from '../fixtures/command.ts';
import { switchoverOnFailingDisk } from '../fixtures/failing-disk.ts';
import { freePort } from '../fixtures/free-port.ts';
import { knock } from '../fixtures/stranger.ts';
import { same, until } from '../fixtures/until.ts';

// A command takes a second to start, several on a busy machine, and some of these tests start many.
vi.setConfig({ testTimeout: 120_000 });

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const at = (name: string) => join(folder, name);
/** Virtual, and in real time. */
const quick = ['run', '01-first-migration', '--quiet', '--set', 'compare=null'];
const real = [
  ...['run', '01-first-migration', '--world', 'threads', '--set', 'compare=null', '--set', 'guest.pages=300'],
  ...[
    '--set',
    'guest.program={ kind: zipf, writesPerSecond: 20 }',
    '--set',
    'link.rate=100Mbit/s',
    '--set',
    'migration.observe=200ms',
  ],
];

/** @param full the streams behind which the disk is full */
function withFull(full: readonly ('stdout' | 'stderr')[], args: readonly string[]) {
  const stdio = (['ignore', 'stdout', 'stderr'] as const).map((stream) => {
    if (stream === 'ignore') return stream;
    return full.includes(stream) ? openSync('/dev/full', 'w') : 'pipe';
  });
  const child = spawn(process.execPath, [main, ...args], { cwd: root, stdio });
  const heard = (['stdout', 'stderr'] as const).map((stream) =>
    child[stream] ? text(child[stream]) : Promise.resolve(''),
  );
  return Promise.all([once(child, 'close'), ...heard]).then(([[code], stdout, stderr]) => ({
    code,
    stdout,
    stderr,
  }));
}

describe('a full disk behind standard output', () => {
  test.each([
    ['records', () => [...quick, '--runs', '2', '--json', '-']],
    ['a table', () => quick],
    [
      'the records of a sweep',
      () => ['sweep', file('s.yaml', design), '--quiet', '--json', '-', '--out', at('out')],
    ],
    ['a schedule', () => ['schedule', file('tasks.json', tasks), '--json', '-']],
    ['help', () => ['--help']],
    ['help of a command', () => ['run', '--help']],
  ])('makes the command fail that should have printed %s', async (_, args) => {
    const { code, stderr } = await withFull(['stdout'], args());
    expect(stderr).toMatch(/^switchover: .*cannot write standard output: ENOSPC.*\n$/);
    expect(code).toBe(1);
  });

  const design =
    '{ guest: { pages: 9, program: { kind: zipf, writesPerSecond: 9 } }, link: { rate: 1Mbit/s }, runs: 3, compare: { migration.order: [lru] } }';
  const tasks = '{ "horizon": 20, "tasks": [ { "name": "t", "wcet": 1, "period": 4 } ] }';

  function file(name: string, content: string): string {
    writeFileSync(at(name), content);
    return at(name);
  }
});

test('a full disk behind standard error ends no migration', async () => {
  const { code, stdout } = await withFull(['stderr'], real);
  expect(stdout).toMatch(/World: threads/);
  expect(code).toBe(0);
});

test('whoever reads no more is no reason to complain, nor to end a migration in the middle', async () => {
  const trace = at('trace.ndjson');
  const args = [main, ...real, '--quiet', '--runs', '4', '--json', '-', '--trace', trace];
  const child = spawn(process.execPath, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  const stderr = text(child.stderr);
  await once(child.stdout, 'data');
  child.stdout.destroy();
  const [code] = await once(child, 'close');
  expect([code, await stderr]).toEqual([0, '']);
  const lines = readFileSync(trace, 'utf8').trimEnd().split('\n');
  const migrations = lines.filter((line) => line.startsWith('{"plan"')).length;
  expect(lines.filter((line) => line.startsWith('{"course"')).length).toBe(migrations);
  expect(migrations).toBeLessThan(4);
});

test('a destination lives on when nobody reads what it prints, or can write it', async () => {
  const port = await freePort();
  for (const stdout of ['pipe', openSync('/dev/full', 'w')] as const) {
    const child = spawn(process.execPath, [main, 'receive', '--listen', `127.0.0.1:${port}`], {
      cwd: root,
      stdio: ['ignore', stdout, 'ignore'],
    });
    child.stdout?.destroy();
    await until('it listens', () => knock(port), same(true));
    for (let count = 0; count < 3; count++) await knock(port);
    expect(await knock(port)).toBe(true);
    child.kill('SIGTERM');
    const [code] = await once(child, 'close');
    expect(code).toBe(0);
  }
});

test('a record that is not on the disk is named, and those before it are whole', async () => {
  const file = at('records.ndjson');
  const fault = { folder: file, code: 'ENOSPC', from: 3 } as const;
  const args = [...quick, '--runs', '5', '--json', file];
  const { code, stderr } = await switchoverOnFailingDisk(fault, at('count'), ...args);
  expect(stderr).toMatch(
    /^switchover: the record of guest 'media-server', seed 2, is not kept: cannot write /,
  );
  expect(stderr).toMatch(/records\.ndjson: ENOSPC.*; everything before it is complete\n$/);
  expect(code).toBe(1);
  const records = readFileSync(file, 'utf8').split('\n');
  expect(records.map((line) => (line === '' ? null : JSON.parse(line).seed))).toEqual([1, null]);
});
