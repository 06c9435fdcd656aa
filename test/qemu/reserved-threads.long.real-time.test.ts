import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { KeptForThreads } from '../../src/core/migration/migration-result.ts';
import { restoreThreads } from '../../src/qemu/borrowed-threads.ts';
import { migrationThread, qemuThreads, usedBy } from '../../src/qemu/qemu-threads.ts';
import { type Reserved, ReservedThreads } from '../../src/qemu/reserved-threads.ts';
import { withoutControlGroups } from '../fixtures/control-group.ts';
import { OthersMachine, qemu10, withoutQemu10 } from '../fixtures/others-machine.ts';
import { scheduledThreads, withoutDeadline } from '../fixtures/scheduled-threads.ts';

const half = { budgetNs: 5e6, periodNs: 10e6 };
const most = { budgetNs: 9e6, periodNs: 10e6 };

let machine: OthersMachine;
let folder: string;
let pid: number;
let threads: ReservedThreads | undefined;
beforeEach(async (context) => {
  if (withoutQemu10 !== undefined) context.skip(withoutQemu10);
  if (withoutDeadline !== undefined) context.skip(withoutDeadline);
  if (withoutControlGroups !== undefined) context.skip(withoutControlGroups);
  folder = mkdtempSync(join(tmpdir(), 'switchover-reserved-'));
});
afterEach(async () => {
  await threads?.restore();
  threads = undefined;
  await machine?.end();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Goes before others, so that what it has is what it may have, also where much else runs. */
async function start(...more: readonly string[]): Promise<void> {
  machine = await OthersMachine.start(qemu10, ...more);
  pid = machine.child.pid!;
  for (const thread of Object.keys(scheduledThreads(pid))) setPriority(Number(thread), -15);
}

/** All that it has may run on the first processor only, so that the kernel refuses SCHED_DEADLINE. */
async function startPinned(...more: readonly string[]): Promise<void> {
  await start(...more);
  spawnSync('taskset', ['-a', '-p', '-c', '0', String(pid)]);
}

async function reserve(reserved: Reserved): Promise<ReservedThreads> {
  threads = await ReservedThreads.reserve(machine.theirs, reserved, { socket: machine.ours, folder });
  return threads;
}

/** A migration that is busy with the first pass over all memory, and must wait for nobody. */
async function migrate(): Promise<number> {
  await machine.theirs.execute('migrate-set-parameters', { 'max-bandwidth': 0, 'downtime-limit': 1 });
  await machine.theirs.execute('migrate', { uri: 'exec:cat > /dev/null' });
  for (;;) {
    await sleep(5);
    const thread = await migrationThread(machine.theirs, pid).catch(() => undefined);
    if (thread !== undefined) return thread;
  }
}

/** The part of a processor that a thread has, by the kernel's own account. */
async function shareOf(thread: number, forMs: number): Promise<number> {
  const [before, sinceMs] = [usedBy(pid, thread)!, performance.now()];
  await sleep(forMs);
  return (usedBy(pid, thread)! - before) / 1e6 / (performance.now() - sinceMs);
}

/** The threads that it had then are scheduled as they were. */
function expectAsBefore(before: Readonly<Record<string, string>>): void {
  const after = scheduledThreads(pid);
  expect(Object.keys(before).map((thread) => after[thread])).toEqual(Object.values(before));
  expect(readdirSync(folder)).toEqual([]);
}

describe('5 of 10 ms are half a processor for threads that always want to run, and all is as before afterwards', () => {
  test.each([
    ['SCHED_DEADLINE', start],
    ['cpu.cfs_quota_us', startPinned],
  ] as const)('the thread of a processor, by %s', async (by, begin) => {
    await begin();
    const before = scheduledThreads(pid);
    const { processors } = await qemuThreads(machine.theirs);
    const { kept } = await reserve({ guest: half, sender: null });
    expect(kept).toMatchObject([{ of: 'guest', by, threads: 1 }]);
    const share = await shareOf(processors[0]!, 3_000);
    expect(share).toBeCloseTo(0.5, 1);
    threads!.look('guest');
    const [{ usedNs, windowNs }] = threads!.kept as [KeptForThreads];
    expect(usedNs / windowNs).toBeCloseTo(share, 1);
    await threads!.restore();
    expectAsBefore(before);
  });

  test.each([
    ['SCHED_DEADLINE', start],
    ['cpu.cfs_quota_us', startPinned],
  ] as const)('the thread of a migration, by %s', async (by, begin) => {
    await begin('-m', '8192');
    const before = scheduledThreads(pid);
    await reserve({ guest: null, sender: half });
    const thread = await migrate();
    await threads!.reserveSender();
    expect(threads!.kept).toMatchObject([{ of: 'sender', by, threads: 1 }]);
    // On a fast machine its pages of zeros are over within a second.
    expect(await shareOf(thread, 300)).toBeCloseTo(0.5, 1);
    await machine.theirs.execute('migrate_cancel');
    await threads!.restore();
    expectAsBefore(before);
  });
});

test('where the kernel has no room left for all processors of a machine, all have the bandwidth control', async () => {
  await start('-smp', '3');
  const before = scheduledThreads(pid);
  const { kept } = await reserve({ guest: most, sender: null });
  expect(kept).toMatchObject([{ by: 'cpu.cfs_quota_us', threads: 3 }]);
  expect(kept[0]!.whyNot).toContain('EBUSY');
  await threads!.restore();
  expectAsBefore(before);
});

test('what can be had by neither is refused with both reasons, before anything is changed', async () => {
  await startPinned();
  const before = scheduledThreads(pid);
  const short = { budgetNs: 2e5, periodNs: 5e5 };
  await expect(reserve({ guest: short, sender: null })).rejects.toThrow(
    /^guest\.reservation cannot be had by SCHED_DEADLINE: .*EPERM.*; by bandwidth control: .*from 1 ms to 1 s/,
  );
  expectAsBefore(before);
});

test('a second process that reserves for the same machine is refused', async () => {
  await start();
  await reserve({ guest: half, sender: null });
  const again = ReservedThreads.reserve(
    machine.theirs,
    { guest: half, sender: null },
    { socket: machine.ours, folder },
  );
  await expect(again).rejects.toThrow(`process ${process.pid} has reserved CPU time for it`);
  expect(await restoreThreads(folder)).toMatchObject([{ did: 'left alone' }]);
});
