import { openSync, readlinkSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

/**
 * Sleeps for each of `sleepsMs` and works for `workNs`, from `state` 1 on. Tells its thread first, and at the end of each cycle
 * how long it waited for the processor when it woke and how much CPU time it used, both by the kernel's account
 * (proc(5), schedstat: CPU time, time waited, turns).
 */
const { sleepsMs, workNs } = workerData;
const state = new Int32Array(workerData.state);
const never = new Int32Array(new SharedArrayBuffer(4));
const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
const file = openSync(`/proc/self/task/${thread}/schedstat`);
const bytes = Buffer.alloc(128);
function account() {
  const [cpuNs, waitedNs] = bytes
    .toString('latin1', 0, readSync(file, bytes, 0, 128, 0))
    .split(' ')
    .map(Number);
  return { cpuNs, waitedNs };
}
for (let i = 0; i < 20_000; i++) account();
parentPort.postMessage(thread);
Atomics.wait(state, 0, 0);
const cycles = [];
for (const sleepMs of sleepsMs) {
  const before = account();
  Atomics.wait(never, 0, 0, sleepMs);
  const woken = account();
  while (account().cpuNs - woken.cpuNs < workNs);
  cycles.push({ latencyNs: woken.waitedNs - before.waitedNs, cpuNs: account().cpuNs - before.cpuNs });
}
parentPort.postMessage(cycles);
