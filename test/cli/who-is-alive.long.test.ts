import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { main, root, switchover } from '../fixtures/command.ts';
import { entriesIn, leaveJournal, unprovable } from '../fixtures/journals.ts';
import { leaveLock } from '../fixtures/left-behind.ts';
import { elsewhere, noNamespaces } from '../fixtures/namespaces.ts';

const slow = `
describe: Ten seconds in its first round
guest: { name: web, pages: 2000, program: { kind: classes, classes: [ { pages: 50, writesPerSecond: 50 } ] } }
link: { rate: 800kB/s }
migration: { observe: 0s }
`;

let folder: string;
let here: string;
let there: string;
let children: ChildProcess[];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-alive-'));
  here = join(folder, 'source');
  there = join(folder, 'destination');
  writeFileSync(join(folder, 'slow.yaml'), slow);
  children = [];
});
afterEach(async () => {
  await Promise.all(children.map(kill));
  rmSync(folder, { recursive: true });
});

function start(before: readonly string[], ...args: string[]): ChildProcess {
  const [command, ...words] = [...before, process.execPath, main, ...args];
  const child = spawn(command!, words, { cwd: root, stdio: ['ignore', 'pipe', 'ignore'], detached: true });
  children.push(child);
  return child;
}

/** It and all that it has started. */
async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  process.kill(-child.pid!, 'SIGKILL');
  await exited;
}

/** A migration in its first round, either end of it somewhere. */
async function migrating(at: { source?: string; destination?: string }) {
  const placeOf = (where: string | undefined) => (where === undefined ? [] : elsewhere[where]!);
  const destination = start(placeOf(at.destination), 'receive', '--journal', there);
  const lines = createInterface(destination.stdout!)[Symbol.asyncIterator]();
  const address = (await lines.next()).value.replace('listening on ', '');
  const run = ['run', join(folder, 'slow.yaml'), '--world', 'threads', '--to', address, '--journal', here];
  const source = start(placeOf(at.source), ...run);
  await expect.poll(() => existsSync(there) && Object.keys(entriesIn(there)).length).toBe(1);
  return { source, destination, run };
}

describe.skipIf(noNamespaces)('a destination that lives', () => {
  test.each([
    'another PID namespace',
    'a place where the boot is another',
  ])('in %s is seen to live, also frozen, and its journal is left alone', async (where) => {
    const { source, destination } = await migrating({ destination: where });
    process.kill(-destination.pid!, 'SIGSTOP');
    await kill(source);
    const { code, stdout } = await switchover('recover', here, there);
    expect(code).toBe(0);
    expect(stdout).toContain('the source owns it');
    expect(stdout).toMatch(/left alone: the destination \(process \d+ lives\)/);
    expect(Object.values(entriesIn(here))).toEqual([['begun', 'aborted']]);
    expect(Object.values(entriesIn(there))).toEqual([['begun']]);
    process.kill(-destination.pid!, 'SIGCONT');
    await expect.poll(() => Object.values(entriesIn(there))).toEqual([['begun', 'aborted']]);
  });

  test('is asked across names of hosts; a container made anew gets its guest back', async () => {
    const { source, run } = await migrating({ source: 'a host of another name' });
    const refused = await switchover(...run);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain("guest 'web' is being migrated already, by process");
    expect(refused.stderr).toContain('on elsewhere');
    await kill(source);
    const again = start([], ...run);
    await expect.poll(() => Object.keys(entriesIn(here)).length).toBe(2);
    await kill(again);
  });
});

describe('a process that cannot be asked', () => {
  test('leaves it undecided: exit 1, and the command by which its user says that it has ended', async () => {
    leaveJournal(here, 'source', ['stopped', 'ready', 'commit']);
    leaveJournal(there, 'destination', ['ready'], { process: unprovable });
    const { code, stdout } = await switchover('recover', here, there);
    expect(code).toBe(1);
    expect(stdout).toContain(`process 17 on elsewhere (${unprovable.name}) may live`);
    const command = `switchover recover ${here} ${there} --declare-dead ${unprovable.name}`;
    expect(stdout).toContain(`if it has ended for certain, run '${command}'`);
    const declared = await switchover(...command.split(' ').slice(1));
    expect(declared.code).toBe(0);
    expect(declared.stdout).toContain('the source owns it');
    expect(Object.values(entriesIn(there))).toEqual([['begun', 'ready', 'aborted']]);
  });

  test('that has a folder is declared dead in the same way', async () => {
    leaveLock(here, 'daemon');
    const [life] = readdirSync(here).filter((file) => file.endsWith('.life'));
    rmSync(join(here, life!));
    const name = life!.slice(0, -'.life'.length);
    const other = await switchover('recover', here, '--declare-dead', `${name}0`);
    expect(other).toMatchObject({ code: 2, stdout: '' });
    expect((await switchover('recover', here, '--declare-dead', name)).code).toBe(0);
    expect(readdirSync(here)).toEqual([]);
  });
});

test('a damaged journal stops neither recover nor the migration of another guest', async () => {
  const damaged = leaveJournal(here, 'source', ['stopped', 'ready', 'commit'], { guest: 'other' });
  writeFileSync(damaged, readFileSync(damaged, 'utf8').replace('"stopped"', '"stepped"'));
  const closed = leaveJournal(here, 'source', ['stopped'], {
    migration: '6e2ba0f4-9f5c-4a70-8a54-0d0f6f2c1a11',
  });
  mkdirSync(there);
  const { code, stdout } = await switchover('recover', here);
  expect(code).toBe(1);
  expect(stdout).toContain(`${damaged} is damaged: line 2: entry`);
  expect(stdout).toContain("guest 'other' (source: a damaged journal, process");
  expect(stdout).toContain(`once you know whose it is, move ${damaged} away`);
  expect(stdout).toContain(`wrote 'aborted' to ${closed}`);
  const quick = ['--set', 'link.rate=50MB/s', '--set', 'guest.heartbeat=200ms'];
  const run = ['run', join(folder, 'slow.yaml'), '--world', 'threads', '--journal', here, ...quick];
  expect((await switchover(...run)).code).toBe(0);
  const refused = await switchover(...run, '--set', 'guest.name=other');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`guest 'other' may be at its destination: the journal of an earlier`);
});
