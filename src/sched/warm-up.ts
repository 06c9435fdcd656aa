import type { CbsRule } from '../core/cpu/cbs.ts';
import { NANOS_PER_MILLISECOND } from '../core/units.ts';
import { DispatchQueue } from './dispatch-queue.ts';
import { type DispatchedEntity, Dispatcher } from './dispatcher.ts';
import { SchedulerMemory } from './scheduler-memory.ts';

/** After so many, a dispatch takes no longer than after a minute of work. */
const DISPATCHES = 4_000;
const STEP_NS = NANOS_PER_MILLISECOND / 2;
/** Now and then a thread blocks, or unblocks. */
const DISPATCHES_BETWEEN_CHANGES = 5;

/**
 * Has a dispatcher decide about threads that do not exist. JavaScript is compiled where it has run often. Before that a
 * dispatch takes three to five times as long: with some hundred of them a second, for the first ten seconds, at the
 * expense of the threads that are dispatched. Takes some 50 ms.
 */
export function warmUpDispatcher(rule: CbsRule | undefined, entities: readonly DispatchedEntity[]): void {
  const processors = 1 + Math.max(...entities.map(({ processor }) => processor));
  const memory = SchedulerMemory.withSlots(entities.length, processors);
  const dispatcher = new Dispatcher(memory, rule, entities);
  const threads = entities.map(({ processor }, index) => ({
    slot: memory.slot(index),
    queue: new DispatchQueue(memory, processor),
  }));
  for (let count = 0, now = 0; count < DISPATCHES; count++, now += STEP_NS) {
    for (const [index, { slot, queue }] of threads.entries()) {
      if (count % (DISPATCHES_BETWEEN_CHANGES + index) === 0) slot.isRunnable = !slot.isRunnable;
      if (!queue.take(index)) continue;
      slot.cpuNs += STEP_NS;
      if (!slot.isRunnable || slot.cpuNs >= slot.limitNs) queue.handOver(index, now);
    }
    dispatcher.dispatch(now);
  }
}
