import { writeFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type { Reservation } from '../../src/core/cpu/reservation.ts';
import type { Nanos } from '../../src/core/units.ts';
import { clockNs } from '../../src/platform/clock.ts';
import { threadCpuNs } from '../../src/platform/thread-clock.ts';
import { setDeadline, threadId } from '../../src/platform/thread-scheduling.ts';

/** What such a thread is given. */
export interface DeadlineWorkerData {
  /** The file of the group of processors that it joins. */
  readonly tasks: string;
  /** null: an ordinary thread that spins for ever. */
  readonly reservation: Reservation | null;
  /** When each begins, after the beginning of all, and its CPU time. */
  readonly jobs: readonly (readonly [releaseNs: Nanos, workNs: Nanos])[];
  /** Two words: the first is set to 1 and woken at the beginning, and the second counts who is done. */
  readonly words: Int32Array;
}

/**
 * A thread of the kernel's deadline class that goes through its jobs. It tells its number and why it was refused, if it was. It
 * reads its CPU clock all the time, which has the kernel keep its budget to the microsecond (update_curr_dl), not only to a tick.
 */
const { tasks, reservation, jobs, words } = workerData as DeadlineWorkerData;
const never = new Int32Array(new SharedArrayBuffer(4));
for (let i = 0; i < 20_000; i++) {
  threadCpuNs();
  clockNs();
}
const thread = threadId();
writeFileSync(tasks, String(thread));
parentPort!.postMessage({ thread, refused: reservation && setDeadline(reservation, { reclaim: false }) });
while (reservation === null) threadCpuNs();
Atomics.wait(words, 0, 0);
const beganNs = clockNs();
for (const [releaseNs, workNs] of jobs) {
  const waitNs = beganNs + releaseNs - clockNs();
  if (waitNs > 0) Atomics.wait(never, 0, 0, waitNs / 1e6);
  const untilNs = threadCpuNs() + workNs;
  while (threadCpuNs() < untilNs);
}
// Nothing more is done here: it would be done without reading the clock.
Atomics.add(words, 1, 1);
Atomics.wait(never, 0, 0);
