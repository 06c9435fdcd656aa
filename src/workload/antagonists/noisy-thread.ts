import { Random } from '../../core/random.ts';
import { NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import type { ScheduledThread } from '../../sched/scheduled-thread.ts';

const TIMER_STREAM = 7;

/** A thread that is woken late, whatever wakes it: by an exponential time of this mean. Its work is due as late. */
export function noisyThread(thread: ScheduledThread, meanNs: Nanos, seed: number): ScheduledThread {
  const random = Random.seeded(seed, TIMER_STREAM);
  const alarm = new Int32Array(new SharedArrayBuffer(4));
  let lateNs = random.exponential(meanNs);
  return {
    checkpoint: (interrupted) => thread.checkpoint(interrupted),
    block(untilNs) {
      lateNs = random.exponential(meanNs);
      thread.block(untilNs === undefined ? undefined : untilNs + lateNs);
    },
    unblock(interrupted) {
      Atomics.wait(alarm, 0, 0, lateNs / NANOS_PER_MILLISECOND);
      thread.unblock(interrupted);
    },
  };
}
