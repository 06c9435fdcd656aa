import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { setPriority } from 'node:os';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kill } from '../../src/platform/child-process.ts';
import {
  isFair,
  setThreadAttributes,
  threadAttributes,
  threadStart,
} from '../../src/platform/thread-attributes.ts';
import { setDeadline, setFifo } from '../../src/platform/thread-scheduling.ts';
import { scheduledThreads, withoutDeadline } from '../fixtures/scheduled-threads.ts';

let child: ChildProcess;
let thread: number;
beforeEach((context) => {
  if (withoutDeadline !== undefined) context.skip(withoutDeadline);
  child = spawn('sleep', ['60'], { stdio: 'ignore' });
  thread = child.pid!;
});
afterEach(async () => {
  await kill(child);
});

const slice = () =>
  /^se\.slice\s*:\s*(\d+)/m.exec(
    spawnSync('cat', [`/proc/${thread}/sched`], { encoding: 'utf8' }).stdout,
  )?.[1];

test('a thread of another process that had SCHED_DEADLINE for a while is scheduled as before: its policy, nice value and slice', () => {
  setPriority(thread, 7);
  const [before, sliceBefore] = [scheduledThreads(thread), slice()];
  const attributes = threadAttributes(thread)!;
  expect(setDeadline({ budgetNs: 1e6, periodNs: 1e8 }, { reclaim: false, thread })).toBeUndefined();
  expect(isFair(thread)).toBe(false);
  expect(scheduledThreads(thread)).not.toEqual(before);
  expect(setThreadAttributes(thread, attributes)).toBeUndefined();
  expect(isFair(thread)).toBe(true);
  expect([scheduledThreads(thread), slice()]).toEqual([before, sliceBefore]);
});

test('the same of one that had a priority', () => {
  expect(setFifo(3, thread)).toBeUndefined();
  const before = scheduledThreads(thread);
  const attributes = threadAttributes(thread)!;
  expect(setDeadline({ budgetNs: 1e6, periodNs: 1e8 }, { reclaim: false, thread })).toBeUndefined();
  expect(setThreadAttributes(thread, attributes)).toBeUndefined();
  expect(scheduledThreads(thread)).toEqual(before);
});

test('a thread that has ended has no attributes and no beginning', async () => {
  expect(threadStart(thread)).toBeGreaterThan(0);
  await kill(child);
  expect([threadAttributes(thread), threadStart(thread)]).toEqual([undefined, undefined]);
});
