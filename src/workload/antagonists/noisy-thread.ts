import { Random } from '../../core/random.ts';
import { NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import type { ScheduledThread } from '../../sched/scheduled-thread.ts';

const TIMER_STREAM = 7;

/** A thread that unblocks late, whatever woke it: by an exponential time of this mean. */
export function noisyThread(thread: ScheduledThread, meanNs: Nanos, seed: number): ScheduledThread {
  const random = Random.seeded(seed, TIMER_STREAM);
  const alarm = new Int32Array(new SharedArrayBuffer(4));
  return {
    checkpoint: (interrupted) => thread.checkpoint(interrupted),
    block: () => thread.block(),
    unblock(interrupted) {
      Atomics.wait(alarm, 0, 0, random.exponential(meanNs) / NANOS_PER_MILLISECOND);
      thread.unblock(interrupted);
    },
  };
}
