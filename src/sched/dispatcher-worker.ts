import { parentPort, workerData } from 'node:worker_threads';
import type { CbsRule } from '../core/cpu/cbs.ts';
import { clockNs } from '../platform/clock.ts';
import { threadId } from '../platform/thread-scheduling.ts';
import { type DispatchedEntity, Dispatcher } from './dispatcher.ts';
import { SchedulerMemory } from './scheduler-memory.ts';
import { warmUpDispatcher } from './warm-up.ts';

/** The dispatcher's thread: sleeps until somebody wakes the dispatcher or something is due, and says who runs. */
export interface DispatcherData {
  readonly memory: SharedArrayBuffer;
  readonly rule: CbsRule | undefined;
  readonly entities: readonly DispatchedEntity[];
}

const { memory: buffer, rule, entities } = workerData as DispatcherData;
warmUpDispatcher(rule, entities);
const memory = new SchedulerMemory(buffer);
const dispatcher = new Dispatcher(memory, rule, entities);
parentPort!.postMessage(threadId());
for (;;) {
  const { dispatcherWakeups } = memory;
  const nextNs = dispatcher.dispatch(clockNs());
  memory.sleepUntilWoken(dispatcherWakeups, Math.max(0, (nextNs - clockNs()) / 1e6));
}
