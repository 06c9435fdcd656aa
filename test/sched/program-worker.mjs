import { readFile } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { threadCpuNs } from '../../build/src/platform/thread-clock.js';
import { openScheduledThread } from '../../build/src/sched/scheduled-thread.js';

/** A program of a test: works for `workNs` of CPU time, sleeps for `sleepMs`, and so on until `flag` is set. */
const { data, workNs, sleepMs, flag } = workerData;
const word = new Int32Array(flag);
const thread = openScheduledThread(data);
const isTold = () => Atomics.load(word, 0) !== 0;

while (!isTold()) {
  thread.unblock(isTold);
  for (const until = threadCpuNs() + workNs; threadCpuNs() < until && !isTold(); ) thread.checkpoint(isTold);
  thread.block();
  if (sleepMs > 0) Atomics.wait(word, 0, 0, sleepMs);
}
// Needs a thread of the pool, which is started now if there is none.
await readFile(import.meta.filename);
parentPort.postMessage('told');
