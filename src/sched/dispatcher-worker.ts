import { parentPort, workerData } from 'node:worker_threads';
import type { CbsRule } from '../core/cpu/cbs.ts';
import { clockNs } from '../platform/clock.ts';
import { threadCpuNs } from '../platform/thread-clock.ts';
import { threadId } from '../platform/thread-scheduling.ts';
import { type Competitor, Cooperative } from './dispatcher.ts';
import { Desk } from './scheduler-memory.ts';
import { rehearseLooks } from './warm-up.ts';

/** The dispatcher's thread: sleeps until somebody rings or something is due, and says whose turn it is. */
export interface DispatcherData {
  readonly desk: SharedArrayBuffer;
  readonly rule: CbsRule | undefined;
  readonly competitors: readonly Competitor[];
}

const { desk: buffer, rule, competitors } = workerData as DispatcherData;
rehearseLooks(rule, competitors);
const desk = new Desk(buffer);
const cooperative = new Cooperative(desk, rule, competitors);
const cpuAtStartNs = threadCpuNs();
parentPort!.postMessage(threadId());
for (;;) {
  const { rings } = desk;
  const nextNs = cooperative.look(clockNs());
  desk.dispatcherCpuNs = threadCpuNs() - cpuAtStartNs;
  desk.sleepUntilRung(rings, Math.max(0, (nextNs - clockNs()) / 1e6));
}
