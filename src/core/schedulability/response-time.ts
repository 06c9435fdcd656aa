import type { Reservation } from '../cpu/reservation.ts';
import { timeToSupply } from '../cpu/supply.ts';
import type { Nanos } from '../units.ts';
import { deadlineOf, type RealTimeTask } from './real-time-task.ts';

/**
 * The longest that a job of the task can take from its release to its end under fixed priorities inside the reservation,
 * if for `stopNs` once nothing is supplied. The least t with
 *
 *   C + Σ ⌈t/T_j⌉·C_j ≤ sbf(t − stop)   over all tasks j that go first
 *
 * found from below (Joseph & Pandya 1986; inside a reservation Shin & Lee 2003, Lipari & Bini 2003). On a whole
 * processor without a stop it is the textbook's response time. With D ≤ T the first job after a release of everything
 * at once is the one that takes longest.
 * @param first the tasks of higher priority
 * @returns undefined: longer than its deadline
 */
export function responseTime(
  task: RealTimeTask,
  first: readonly RealTimeTask[],
  reservation: Reservation,
  stopNs: Nanos = 0,
): Nanos | undefined {
  const deadlineNs = deadlineOf(task);
  let takesNs = 0;
  for (let nextNs = stopNs + timeToSupply(reservation, task.workNs); nextNs <= deadlineNs; ) {
    takesNs = nextNs;
    nextNs = stopNs + timeToSupply(reservation, task.workNs + requested(first, takesNs));
    if (nextNs === takesNs) return takesNs;
  }
  return undefined;
}

/** rbf: the work that is released in a window of this length at most. */
function requested(tasks: readonly RealTimeTask[], windowNs: Nanos): Nanos {
  return tasks.reduce((sum, { workNs, periodNs }) => sum + Math.ceil(windowNs / periodNs) * workNs, 0);
}
