import { readlinkSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

/** Always wants to run, from `state` 1 until it is 2. Tells its thread first. */
const state = new Int32Array(workerData.state);
parentPort.postMessage(Number(readlinkSync('/proc/thread-self').split('/').at(-1)));
Atomics.wait(state, 0, 0);
while (Atomics.load(state, 0) === 1) {
  for (let i = 0, count = 0; i < 5_000; i++) count = (Math.imul(count, 1_664_525) + 1) | 0;
}
