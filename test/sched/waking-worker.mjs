import { openSync, readlinkSync, readSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { threadCpuNs } from '../../build/src/platform/thread-clock.js';

/**
 * Sleeps for each of `sleepsMs` and works for `workNs`, from `state` 1 on, beside the threads `beside`. Tells its thread first,
 * and at the end how each cycle went, by the kernel's account (proc(5), schedstat: CPU time, time waited, turns): how long it
 * waited for the processor when it woke, how much CPU time it used, and for how long somebody else had the processor
 * from before the sleep until it ran. The account of a thread that runs is up to a tick old; its CPU clock is not.
 */
const { sleepsMs, workNs, beside } = workerData;
const state = new Int32Array(workerData.state);
const never = new Int32Array(new SharedArrayBuffer(4));
const thread = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
const bytes = Buffer.alloc(128);
const [own, ...others] = [thread, ...beside].map((one) => openSync(`/proc/self/task/${one}/schedstat`));
function account(file) {
  const [cpuNs, waitedNs] = bytes
    .toString('latin1', 0, readSync(file, bytes, 0, 128, 0))
    .split(' ')
    .map(Number);
  return { cpuNs, waitedNs };
}
const spunNs = () => others.reduce((sum, file) => sum + account(file).cpuNs, 0);
const nowNs = () => Number(process.hrtime.bigint());

for (let i = 0; i < 5_000; i++) {
  account(own);
  spunNs();
  threadCpuNs();
}
parentPort.postMessage(thread);
Atomics.wait(state, 0, 0);
const cycles = [];
for (const sleepMs of sleepsMs) {
  const before = { ...account(own), spunNs: spunNs(), cpuNs: threadCpuNs(), atNs: nowNs() };
  Atomics.wait(never, 0, 0, sleepMs);
  const woken = { ...account(own), spunNs: spunNs(), cpuNs: threadCpuNs(), atNs: nowNs() };
  while (threadCpuNs() - woken.cpuNs < workNs);
  const idleOrOthersNs =
    woken.atNs - before.atNs - (woken.spunNs - before.spunNs) - (woken.cpuNs - before.cpuNs);
  const cpuNs = threadCpuNs() - before.cpuNs;
  cycles.push({ latencyNs: woken.waitedNs - before.waitedNs, cpuNs, othersNs: idleOrOthersNs });
}
parentPort.postMessage(cycles);
