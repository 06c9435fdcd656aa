import { fifo, setFifo, setNice } from './scheduling.ts';

/** What a thread that must not be kept waiting has obtained. */
export type Raised = 'SCHED_FIFO' | 'nice −20' | 'no priority';

/** Puts the calling thread before all ordinary ones, as far as that is permitted. */
export function raise(): Raised {
  if (setFifo(fifo.decides).ok) return 'SCHED_FIFO';
  return setNice(-20).ok ? 'nice −20' : 'no priority';
}
