import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { main, root } from '../../fixtures/command.ts';
import { withoutQemu } from '../../fixtures/qemu.ts';
import { same, until } from '../../fixtures/until.ts';

const folder = mkdtempSync(join(tmpdir(), 'switchover-machine-folders-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** Its only round takes minutes. */
const endless = `
guest: { pages: 200, program: { kind: classes, classes: [ { pages: 200, writesPerSecond: 100 } ] } }
link: { rate: 50kbit/s }
migration: { observe: 0ms, stop: { rule: rounds, rounds: 1 } }
`;

interface Run {
  readonly child: ChildProcess;
  /** Of its two machines. */
  readonly folders: readonly string[];
}

async function started(): Promise<Run> {
  const file = join(folder, 'endless.yaml');
  writeFileSync(file, endless);
  const args = [main, 'run', file, '--world', 'vm'];
  const child = spawn(process.execPath, args, {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const folders = await until(
    'both machines are there',
    () => foldersOf(child.pid!),
    ({ length }) => length === 2,
  );
  return { child, folders };
}

/** Where the QEMUs keep their files that were started by a process and by its destination. */
function foldersOf(pid: number): readonly string[] {
  return readdirSync('/proc').flatMap((entry) => {
    try {
      const parent = parentOf(entry);
      if (parent !== pid && parentOf(parent) !== pid) return [];
      const file = /mem-path=([^,\0]+)/.exec(readFileSync(`/proc/${entry}/cmdline`, 'utf8'))?.[1];
      return file === undefined ? [] : [dirname(file)];
    } catch {
      // No process, or one that has ended meanwhile.
      return [];
    }
  });
}

function parentOf(pid: number | string): number {
  return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')[1]);
}

describe.skipIf(withoutQemu !== undefined)('the folders of two machines', () => {
  test('are gone after a second Ctrl-C, which waits for nothing', async () => {
    const { child, folders } = await started();
    expect(folders.filter((one) => existsSync(one))).toHaveLength(2);
    process.kill(-child.pid!, 'SIGINT');
    await once(child.stderr!, 'data');
    process.kill(-child.pid!, 'SIGINT');
    await once(child, 'exit');
    await until('both are gone', () => folders.some((one) => existsSync(one)), same(false));
  });

  test('that a killed process has left are removed by the next; those of a living one stay', async () => {
    const killed = await started();
    const living = await started();
    process.kill(-killed.child.pid!, 'SIGKILL');
    await once(killed.child, 'exit');
    expect(killed.folders.some((one) => existsSync(one))).toBe(true);
    const next = await started();
    await until('both are gone', () => killed.folders.some((one) => existsSync(one)), same(false));
    for (const { child, folders } of [living, next]) {
      expect(folders.filter((one) => existsSync(one))).toHaveLength(2);
      process.kill(-child.pid!, 'SIGKILL');
      await once(child, 'exit');
      for (const one of folders) rmSync(one, { recursive: true, force: true });
    }
  });
});
