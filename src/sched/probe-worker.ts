import { parentPort, workerData } from 'node:worker_threads';
import { clockNs } from '../platform/clock.ts';
import { threadId } from '../platform/thread-scheduling.ts';
import { Timeline } from './timeline.ts';

/**
 * Finds out when the machine itself did not run: a thread of high priority sleeps 1 ms again and again. If that takes 1 ms
 * longer, no scheduler was the reason.
 */
const SLEEP_MS = 1;
const GAP_NS = 1_000_000;

const timeline = new Timeline(workerData as SharedArrayBuffer);
const alarm = new Int32Array(new SharedArrayBuffer(4));
parentPort!.postMessage(threadId());
for (let lastNs = clockNs(); ; ) {
  Atomics.wait(alarm, 0, 0, SLEEP_MS);
  const nowNs = clockNs();
  const dueNs = lastNs + SLEEP_MS * 1e6;
  if (nowNs - dueNs > GAP_NS) timeline.ran(dueNs, nowNs, 0);
  lastNs = nowNs;
}
