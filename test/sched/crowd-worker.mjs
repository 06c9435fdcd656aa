import { parentPort, workerData } from 'node:worker_threads';
import { threadCpuNs } from '../../build/src/platform/thread-clock.js';
import { openScheduledThread } from '../../build/src/sched/scheduled-thread.js';

/**
 * One of a crowd: works in short pieces, sleeps, wakes, and is interrupted while it waits, at random. Counts how often
 * somebody else worked during a piece of its own.
 */
const { data, words, number } = workerData;
/** Whose piece it is, whether somebody else worked meanwhile, how often that was, the end. */
const [owner, isDisturbed, disturbances, end] = [0, 1, 2, 3];
const shared = new Int32Array(words);
const thread = openScheduledThread(data);

function work() {
  const isMine = Atomics.compareExchange(shared, owner, 0, number) === 0;
  if (!isMine) Atomics.store(shared, isDisturbed, 1);
  for (const until = threadCpuNs() + 20_000; threadCpuNs() < until; );
  if (!isMine) return;
  if (Atomics.exchange(shared, isDisturbed, 0) === 1) Atomics.add(shared, disturbances, 1);
  Atomics.store(shared, owner, 0);
}

let pieces = 0;
while (Atomics.load(shared, end) === 0) {
  let isInterrupted = false;
  const interrupted = () => {
    isInterrupted = Math.random() < 0.2 || Atomics.load(shared, end) === 1;
    return isInterrupted;
  };
  thread.unblock(interrupted);
  for (let left = Math.random() * 60; left > 0 && !isInterrupted; left--, pieces++) {
    work();
    thread.checkpoint(interrupted);
  }
  thread.block();
  if (Math.random() < 0.7) Atomics.wait(shared, end, 0, Math.random() * 4);
}
parentPort.postMessage(pieces);
