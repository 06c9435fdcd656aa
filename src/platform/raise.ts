import { fifo, setFifo, setNice } from './thread-scheduling.ts';

/** What a thread that must not be kept waiting has obtained. */
export type Raised = 'SCHED_FIFO' | 'nice −20' | 'no priority';

/**
 * Puts a thread before all ordinary ones, as far as that is permitted.
 * @param hasRoom whether some processor is left without a reserved thread. If so it is enough to be as urgent as
 *   these: the kernel moves one that wakes beside its equal to where it disturbs less, but lets one that is more urgent
 *   interrupt whatever runs where it ran last (kernel/sched/rt.c: select_task_rq_rt)
 */
export function raise(thread: number, hasRoom: boolean): Raised {
  if (setFifo(hasRoom ? fifo.reserved : fifo.decides, thread).ok) return 'SCHED_FIFO';
  return setNice(-20, thread).ok ? 'nice −20' : 'no priority';
}
