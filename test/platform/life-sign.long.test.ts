import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Life } from '../../src/core/life.ts';
import { LifeSign, lifeOf } from '../../src/platform/life-sign.ts';
import type { ProcessIdentity } from '../../src/platform/process-identity.ts';
import { elsewhere, noNamespaces } from '../fixtures/namespaces.ts';

const module = JSON.stringify(resolve('build/src/platform/life-sign.js'));
let folder: string;
let living: ChildProcess | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-life-'));
  chmodSync(folder, 0o755);
});
afterEach(async () => {
  await end();
  rmSync(folder, { recursive: true });
});

/** A process that shows there that it lives, until it is killed. */
async function show(at: string, before: readonly string[] = []): Promise<ProcessIdentity> {
  const program = `
    const { LifeSign } = await import(${module});
    console.log(JSON.stringify((await LifeSign.show(${JSON.stringify(at)})).process));
    setInterval(() => {}, 1_000);`;
  const [command, ...args] = [...before, process.execPath, '--input-type=module', '-e', program];
  living = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  const { value } = await createInterface(living.stdout!)[Symbol.asyncIterator]().next();
  return JSON.parse(value);
}

/** With all that it has started. */
async function end(): Promise<void> {
  if (!living || living.exitCode !== null || living.signalCode !== null) return;
  const exited = once(living, 'exit');
  process.kill(-living.pid!, 'SIGKILL');
  await exited;
}

/** What a process says that is asked there. */
function askedIn(before: readonly string[], at: string, shown: ProcessIdentity): Life {
  const program = `
    const { lifeOf } = await import(${module});
    console.log(await lifeOf(${JSON.stringify(at)}, ${JSON.stringify(shown)}));`;
  const [command, ...args] = [...before, process.execPath, '--input-type=module', '-e', program];
  return execFileSync(command!, args, { encoding: 'utf8' }).trim() as Life;
}

const ended = () => expect.poll(() => living!.exitCode ?? living!.signalCode).not.toBeNull();

describe.skipIf(noNamespaces)('whether a process lives', () => {
  test.each(Object.entries(elsewhere))('is seen from %s', async (_, before) => {
    const shown = await show(folder);
    expect(askedIn(before, folder, shown)).toBe('lives');
    await end();
    expect(askedIn(before, folder, shown)).toBe('has ended');
  });

  test.each(
    Object.entries(elsewhere).filter(([where]) => where !== 'another user'),
  )('is seen of one in %s', async (_, before) => {
    const shown = await show(folder, before);
    expect(await lifeOf(folder, shown)).toBe('lives');
    await end();
    await expect.poll(() => lifeOf(folder, shown)).toBe('has ended');
  });
});

describe('a process', () => {
  test('that is frozen lives, however often it is asked', async () => {
    const shown = await show(folder);
    living!.kill('SIGSTOP');
    // More than wait to be accepted.
    for (let asked = 0; asked < 600; asked++) expect(await lifeOf(folder, shown)).toBe('lives');
  });

  test('that has ended in an orderly way has ended', async () => {
    const shown = await show(folder);
    living!.kill('SIGTERM');
    await ended();
    expect(await lifeOf(folder, shown)).toBe('has ended');
  });

  test('is not known from a copy of the folder, nor once its sign is gone', async () => {
    const shown = await show(folder);
    const copy = join(folder, 'copy');
    mkdirSync(copy);
    execFileSync('cp', ['-a', join(folder, `${shown.name}.life`), copy]);
    expect(await lifeOf(copy, shown)).toBe('unknown');
    await end();
    expect(await lifeOf(copy, shown)).toBe('unknown');
    rmSync(join(folder, `${shown.name}.life`));
    expect(await lifeOf(folder, shown)).toBe('unknown');
  });

  test('shows itself in a folder whose path is longer than an address may be', async () => {
    const deep = join(folder, 'a'.repeat(90), 'b'.repeat(90));
    mkdirSync(deep, { recursive: true });
    const shown = await show(deep);
    expect(readdirSync(deep)).toEqual([`${shown.name}.life`]);
    expect(await lifeOf(deep, shown)).toBe('lives');
    await end();
    expect(await lifeOf(deep, shown)).toBe('has ended');
  });

  test('that withdraws its sign leaves nothing', async () => {
    const sign = await LifeSign.show(folder);
    expect(await lifeOf(folder, sign.process)).toBe('lives');
    expect(sign.isShown).toBe(true);
    sign.withdraw();
    expect(readdirSync(folder)).toEqual([]);
    expect(sign.isShown).toBe(false);
  });

  test.skipIf(process.getuid?.() !== 0)('on a file system without sockets can prove nothing', async () => {
    const sign = await LifeSign.show('/sys');
    expect(sign.process.socket).toBe('');
    expect(await lifeOf('/sys', sign.process)).toBe('unknown');
    sign.withdraw();
  });

  test('that cannot make a socket says where', async () => {
    await expect(LifeSign.show('/proc')).rejects.toThrow(/^cannot write \/proc\/.*\.life, a socket: /);
  });
});
