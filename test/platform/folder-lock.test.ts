import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FolderLock, forgetLocks } from '../../src/platform/folder-lock.ts';
import { leaveLock } from '../fixtures/left-behind.ts';
import { elsewhere, noNamespaces } from '../fixtures/namespaces.ts';

const module = JSON.stringify(resolve('build/src/platform/folder-lock.js'));
let folder: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'switchover-lock-'));
});
afterEach(async () => {
  await Promise.all(children.splice(0).map(end));
  rmSync(folder, { recursive: true });
});

/** A process that takes the lock and keeps it. @returns what it says: that it has it, or why not */
async function taker(before: readonly string[] = []): Promise<{ child: ChildProcess; said: string }> {
  const program = `
    const { FolderLock } = await import(${module});
    await FolderLock.take(${JSON.stringify(folder)}, 'work').then(() => console.log('taken'), (why) => console.log(why.message));
    setInterval(() => {}, 1_000);`;
  const [command, ...args] = [...before, process.execPath, '--input-type=module', '-e', program];
  const child = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'], detached: true });
  children.push(child);
  const { value } = await createInterface(child.stdout!)[Symbol.asyncIterator]().next();
  return { child, said: value };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  process.kill(-child.pid!, 'SIGKILL');
  await exited;
}

describe('the lock of a folder', () => {
  test('is one process’s of many that come at once', async () => {
    leaveLock(folder, 'work');
    const said = (await Promise.all(Array.from({ length: 8 }, () => taker()))).map((one) => one.said);
    expect(said.filter((what) => what === 'taken').length).toBeLessThanOrEqual(1);
    for (const what of said.filter((one) => one !== 'taken'))
      expect(what).toMatch(/is in use by process \d+ on /);
  });

  test('never is two holders’, however often it changes hands', async () => {
    let holders = 0;
    let turns = 0;
    const work = async () => {
      while (turns < 60) {
        const lock = await FolderLock.take(folder, 'work').catch(() => undefined);
        if (!lock) continue;
        turns += 1;
        holders += 1;
        expect(holders).toBe(1);
        await new Promise(setImmediate);
        holders -= 1;
        lock.release();
      }
    };
    await Promise.all([work(), work(), work()]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('is free again when its process is killed, and nothing of that one stays', async () => {
    const { child, said } = await taker();
    expect(said).toBe('taken');
    await expect(FolderLock.take(folder, 'work')).rejects.toThrow(
      `${folder} is in use by process ${child.pid} on `,
    );
    (await FolderLock.take(folder, 'other work')).release();
    child.kill('SIGSTOP');
    await expect(FolderLock.take(folder, 'work')).rejects.toThrow('is in use by');
    await end(child);
    (await FolderLock.take(folder, 'work')).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  test.skipIf(noNamespaces).each(Object.entries(elsewhere).filter(([where]) => where !== 'another user'))(
    'is refused to one in %s',
    async (_, before) => {
      const lock = await FolderLock.take(folder, 'work');
      expect((await taker(before)).said).toContain(`${folder} is in use by process ${process.pid} on `);
      lock.release();
    },
  );

  test('of a process that cannot be asked is refused, with the command that frees it', async () => {
    leaveLock(folder, 'work');
    const [life] = readdirSync(folder).filter((file) => file.endsWith('.life'));
    rmSync(join(folder, life!));
    const name = life!.slice(0, -'.life'.length);
    await expect(FolderLock.take(folder, 'work')).rejects.toThrow(
      `cannot be asked from here; if it has ended for certain, run 'switchover recover ${folder} --declare-dead ${name}'`,
    );
    expect(await forgetLocks(folder, name)).toBe(true);
    (await FolderLock.take(folder, 'work')).release();
  });

  test('that cannot be read counts as taken; what is not a lock stays', async () => {
    writeFileSync(join(folder, 'work.somebody.lock'), '{');
    writeFileSync(join(folder, 'my.lock'), 'mine');
    await expect(FolderLock.take(folder, 'work')).rejects.toThrow('may be in use by somebody');
    expect(await forgetLocks(folder, 'somebody')).toBe(true);
    (await FolderLock.take(folder, 'work')).release();
    expect(readFileSync(join(folder, 'my.lock'), 'utf8')).toBe('mine');
  });

  test('cannot be declared free while its process lives', async () => {
    await FolderLock.take(folder, 'work');
    const [file] = readdirSync(folder).filter((name) => name.endsWith('.lock'));
    const name = file!.slice('work.'.length, -'.lock'.length);
    await expect(forgetLocks(folder, name)).rejects.toThrow('it lives, it has just answered');
  });
});
