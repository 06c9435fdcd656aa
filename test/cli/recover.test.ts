import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LifeSign } from '../../src/platform/life-sign.ts';
import { main, root, switchover } from '../fixtures/command.ts';
import { entriesIn, leaveJournal } from '../fixtures/journals.ts';

let folder: string;
let here: string;
let there: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-recover-'));
  here = join(folder, 'source');
  there = join(folder, 'destination');
});
afterEach(() => rmSync(folder, { recursive: true }));

const lastLine = (file: string) => readFileSync(file, 'utf8').trimEnd().split('\n').at(-1)!;

describe('recover', () => {
  test('a source that died before its commit owns the guest: closed, and then there is nothing to do', async () => {
    const file = leaveJournal(here, 'source', ['stopped', 'ready']);
    const once = await switchover('recover', here);
    expect(once.code).toBe(0);
    expect(once.stdout).toMatch(
      /^guest 'web' \(source: ready, process \d+ has ended, destination: no journal/,
    );
    expect(once.stdout).toContain(
      'the source owns it: the source has not written commit, so it never sent one',
    );
    expect(once.stdout).toContain(`wrote 'aborted' to ${file}`);
    expect(once.stdout).toContain('the guest with it: only the source may start it again');
    expect(JSON.parse(lastLine(file))).toMatchObject({ entry: 'aborted' });
    expect(await switchover('recover', here)).toMatchObject({
      code: 0,
      stdout: `nothing to do: no unfinished migration in ${here}\n`,
    });
  });

  test('a commit alone cannot be decided: exit 1, the journal that is missing, and nothing is written', async () => {
    const file = leaveJournal(here, 'source', ['stopped', 'ready', 'commit']);
    const before = readFileSync(file, 'utf8');
    const { code, stdout } = await switchover('recover', here);
    expect(code).toBe(1);
    expect(stdout).toContain('its owner cannot be decided');
    expect(stdout).toContain('do not start it anywhere; the journal of the destination is missing');
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test.each([
    ['ready', 'source', 'aborted'],
    ['commit', 'destination', 'ended'],
  ] as const)('a commit with a destination at %s is the %s’s', async (last, owner, closing) => {
    const files = [
      leaveJournal(here, 'source', ['stopped', 'ready', 'commit']),
      leaveJournal(there, 'destination', last === 'ready' ? ['ready'] : ['ready', 'commit']),
    ];
    const { code, stdout } = await switchover('recover', there, here, '--json', '-');
    expect(code).toBe(0);
    const { settlements } = JSON.parse(stdout);
    expect(settlements).toMatchObject([{ guest: 'web', owner, state: 'decided', missing: null }]);
    for (const file of files) expect(JSON.parse(lastLine(file))).toMatchObject({ entry: closing });
    const again = await switchover('recover', here, there, '--json', '-');
    expect(JSON.parse(again.stdout)).toEqual({
      settlements: [],
      remarks: [],
      moves: [],
      machines: [],
      arrivals: [],
      settings: [],
      reservations: [],
    });
  });

  test('a destination that may still have the commit on its way is waited for', async () => {
    leaveJournal(here, 'source', ['stopped', 'ready', 'commit']);
    mkdirSync(there);
    const sign = await LifeSign.show(there);
    leaveJournal(there, 'destination', ['ready'], { process: sign.process });
    const { code, stdout } = await switchover('recover', here, there);
    expect(code).toBe(1);
    expect(stdout).toContain(`left alone: the destination (process ${process.pid} lives)`);
    sign.withdraw();
  });

  test('journals that contradict each other are not settled', async () => {
    leaveJournal(here, 'source', ['stopped', 'ready']);
    leaveJournal(there, 'destination', ['ready', 'commit']);
    const { code, stdout } = await switchover('recover', here, there);
    expect(code).toBe(1);
    expect(stdout).toContain('the journals contradict each other');
  });

  test('a last line cut short is ignored, said, and written over', async () => {
    const file = leaveJournal(here, 'source', ['stopped']);
    appendFileSync(file, '{"entry":"com');
    const { code, stdout } = await switchover('recover', here);
    expect(code).toBe(0);
    expect(stdout).toContain(`${file}: a last line of 13 bytes was cut short and is ignored`);
    expect(Object.values(entriesIn(here))).toEqual([['begun', 'stopped', 'aborted']]);
  });

  test('no such folder: one line that says where', async () => {
    const nowhere = await switchover('recover', join(folder, 'nowhere'));
    expect(nowhere).toMatchObject({ code: 1, stdout: '' });
    expect(nowhere.stderr).toMatch(/^switchover: cannot read journals in .*nowhere: ENOENT.*\n$/);
  });
});

describe('real processes killed', () => {
  const scenario = `
describe: Ten seconds in its first round
guest: { name: web, pages: 2000, program: { kind: classes, classes: [ { pages: 50, writesPerSecond: 50 } ] } }
link: { rate: 800kB/s }
migration: { observe: 0s }
`;
  let children: ChildProcess[];
  beforeEach(() => {
    children = [];
    writeFileSync(join(folder, 'slow.yaml'), scenario);
  });
  afterEach(() => Promise.all(children.map((child) => end(child))));

  test('the source in its first round: its guest; the destination has closed its journal itself', async () => {
    const { source, destination } = await migrating();
    await end(source);
    await expect.poll(() => Object.values(entriesIn(there))).toEqual([['begun', 'aborted']]);
    const { code, stdout } = await switchover('recover', here, there);
    expect(code).toBe(0);
    expect(stdout).toContain("guest 'web' (source: begun, ");
    expect(stdout).toContain('the source owns it');
    expect(Object.values(entriesIn(here))).toEqual([['begun', 'aborted']]);
    await end(destination);
  });

  test('the destination in the first round: the source runs on and says so; recover closes the rest', async () => {
    const { source, destination } = await migrating();
    const exited = once(source, 'exit');
    await end(destination);
    await exited;
    expect(Object.values(entriesIn(here))).toEqual([['begun', 'aborted']]);
    const { code, stdout } = await switchover('recover', there);
    expect(code).toBe(0);
    expect(stdout).toContain('the destination has not written commit, so it does not run the guest');
    expect(Object.values(entriesIn(there))).toEqual([['begun', 'aborted']]);
  });

  test('the source after the hand-over: the destination owns the guest, and goes on', async () => {
    const { source, destination } = await migrating('link.rate=50MB/s', 'guest.heartbeat=200ms');
    await expect.poll(() => Object.values(entriesIn(here))[0]).toContain('running');
    await end(source);
    await expect.poll(() => Object.values(entriesIn(there))[0]!.at(-1)).toBe('ended');
    const both = await switchover('recover', here, there);
    expect(both.code).toBe(0);
    expect(both.stdout).toContain('the destination owns it');
    expect(both.stdout).toContain(`it runs in process ${destination.pid}`);
    expect(Object.values(entriesIn(here))[0]!.at(-1)).toBe('ended');
    await end(destination);
    expect((await switchover('recover', here, there)).stdout).toContain('nothing to do');
  });

  /** A destination and a source, both with journals, in the midst of a migration. */
  async function migrating(...settings: string[]) {
    const destination = start('receive', '--journal', there);
    const lines = createInterface(destination.stdout!)[Symbol.asyncIterator]();
    const address = (await lines.next()).value.replace('listening on ', '');
    const sets = settings.flatMap((setting) => ['--set', setting]);
    const file = join(folder, 'slow.yaml');
    const source = start('run', file, '--world', 'threads', '--to', address, '--journal', here, ...sets);
    await expect.poll(() => existsSync(there) && Object.keys(entriesIn(there)).length).toBe(1);
    return { source, destination };
  }

  function start(...args: string[]): ChildProcess {
    const child = spawn(process.execPath, [main, ...args], {
      cwd: root,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    child.stdout!.resume();
    children.push(child);
    return child;
  }

  async function end(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
});
