import { parentPort, workerData } from 'node:worker_threads';
import { clockNs } from '../platform/clock.ts';
import { threadId } from '../platform/thread-scheduling.ts';
import { SchedulerMemory } from './scheduler-memory.ts';
import { Timeline } from './timeline.ts';

export interface ProbeData {
  readonly noise: SharedArrayBuffer;
  /** Of the threads that are dispatched, if any are, and how many. */
  readonly dispatched: { readonly memory: SharedArrayBuffer; readonly slots: number } | undefined;
}

/**
 * Finds out when the machine itself did not run: a thread of high priority sleeps 1 ms again and again. If that takes 1 ms
 * longer, no scheduler was the reason. While no dispatched thread has anything to do, it sleeps for longer.
 */
const SLEEP_MS = 1;
const LONG_SLEEP_MS = 100;
const GAP_NS = 1_000_000;

const { noise, dispatched } = workerData as ProbeData;
const timeline = new Timeline(noise);
const alarm = new Int32Array(new SharedArrayBuffer(4));
parentPort!.postMessage(threadId());
const memory = dispatched && new SchedulerMemory(dispatched.memory);
const slots = Array.from({ length: dispatched?.slots ?? 0 }, (_, slot) => memory!.slot(slot));
for (let lastNs = clockNs(); ; ) {
  if (memory) {
    const { dispatcherWakeups } = memory;
    if (!slots.some(({ isRunnable }) => isRunnable)) {
      memory.sleepUntilWoken(dispatcherWakeups, LONG_SLEEP_MS);
      const nowNs = clockNs();
      const dueNs = lastNs + LONG_SLEEP_MS * 1e6;
      if (nowNs - dueNs > GAP_NS) timeline.ran(dueNs, nowNs, 0);
      lastNs = nowNs;
      continue;
    }
  }
  Atomics.wait(alarm, 0, 0, SLEEP_MS);
  const nowNs = clockNs();
  const dueNs = lastNs + SLEEP_MS * 1e6;
  if (nowNs - dueNs > GAP_NS) timeline.ran(dueNs, nowNs, 0);
  lastNs = nowNs;
}
