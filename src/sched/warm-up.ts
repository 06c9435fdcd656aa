import type { CbsRule } from '../core/cpu/cbs.ts';
import { NANOS_PER_MILLISECOND } from '../core/units.ts';
import { DispatchQueue } from './dispatch-queue.ts';
import { type DispatchedEntity, Dispatcher } from './dispatcher.ts';
import { SchedulerMemory } from './scheduler-memory.ts';

/** From here on a look takes no longer than after a minute of work. */
const LOOKS = 4_000;
const STEP_NS = NANOS_PER_MILLISECOND / 2;
/** Now and then one goes to sleep, or wakes up. */
const LOOKS_BETWEEN_CHANGES = 5;

/**
 * Has a dispatcher decide about threads that are not there. JavaScript is compiled where it has run often; a look
 * takes three to five times as long before that, which a dispatcher of some hundred looks a second would be for its
 * first ten seconds, at the expense of those for whom it decides. Takes some 50 ms.
 */
export function warmUpDispatcher(rule: CbsRule | undefined, competitors: readonly DispatchedEntity[]): void {
  const processors = 1 + Math.max(...competitors.map(({ processor }) => processor));
  const memory = SchedulerMemory.withSlots(competitors.length, processors);
  const dispatcher = new Dispatcher(memory, rule, competitors);
  const threads = competitors.map(({ processor }, index) => ({
    slot: memory.slot(index),
    queue: new DispatchQueue(memory, processor),
  }));
  for (let look = 0, now = 0; look < LOOKS; look++, now += STEP_NS) {
    for (const [index, { slot, queue }] of threads.entries()) {
      if (look % (LOOKS_BETWEEN_CHANGES + index) === 0) slot.isRunnable = !slot.isRunnable;
      if (!queue.take(index)) continue;
      slot.cpuNs += STEP_NS;
      if (!slot.isRunnable || slot.cpuNs >= slot.limitNs) queue.handOver(index, now);
    }
    dispatcher.dispatch(now);
  }
}
