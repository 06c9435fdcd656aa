import type { CbsRule } from '../core/cpu/cbs.ts';
import { NANOS_PER_MILLISECOND } from '../core/units.ts';
import { Chain } from './dispatch-queue.ts';
import { type Competitor, Cooperative } from './dispatcher.ts';
import { Desk } from './scheduler-memory.ts';

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
export function rehearseLooks(rule: CbsRule | undefined, competitors: readonly Competitor[]): void {
  const processors = 1 + Math.max(...competitors.map(({ processor }) => processor));
  const desk = Desk.withSeats(competitors.length, processors);
  const dispatcher = new Cooperative(desk, rule, competitors);
  const threads = competitors.map(({ processor }, index) => ({
    seat: desk.seat(index),
    chain: new Chain(desk, processor),
  }));
  for (let look = 0, now = 0; look < LOOKS; look++, now += STEP_NS) {
    for (const [index, { seat, chain }] of threads.entries()) {
      if (look % (LOOKS_BETWEEN_CHANGES + index) === 0) seat.isAwake = !seat.isAwake;
      if (!chain.take(index)) continue;
      seat.cpuNs += STEP_NS;
      if (!seat.isAwake || seat.cpuNs >= seat.limitNs) chain.handOver(index, now);
    }
    dispatcher.look(now);
  }
}
