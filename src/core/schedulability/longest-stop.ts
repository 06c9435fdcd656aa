import type { Reservation } from '../cpu/reservation.ts';
import type { Nanos } from '../units.ts';
import { edfMiss } from './demand-bound.ts';
import { deadlineOf, type TaskSet } from './real-time-task.ts';
import { responseTime } from './response-time.ts';

/** How long a task set may stand. */
export interface LongestStop {
  /** L; null: a deadline can be missed without any stop. */
  readonly stopNs: Nanos | null;
  /** The index of a task that can miss a deadline after any longer stop; null: there are no tasks. */
  readonly task: number | null;
}

/**
 * L, the longest stop after which no deadline can be missed: the largest whole number for which all are met by
 *
 *   EDF:              dbf(t) ≤ sbf(t − L) for all t
 *   fixed priorities: for each task, rbf(t) ≤ sbf(t − L) for some t ≤ D
 *
 * Both say less of a longer stop, so that L is found by bisection. Exact: after a stop of L + 1 there is a sequence of
 * releases, and a supply that the reservation allows, in which a job is late (docs/plan.md has the proof). It is one
 * stop, with nothing supplied in it and the server as it was before; jobs are released meanwhile.
 */
export function longestStop(set: TaskSet, reservation: Reservation): LongestStop {
  if (set.tasks.length === 0) return { stopNs: null, task: null };
  const miss = firstMiss(set, reservation, 0);
  if (miss !== undefined) return { stopNs: null, task: miss };
  let fits = 0;
  let tooLong = Math.min(...set.tasks.map(deadlineOf));
  while (tooLong - fits > 1) {
    const middleNs = fits + Math.floor((tooLong - fits) / 2);
    if (firstMiss(set, reservation, middleNs) === undefined) fits = middleNs;
    else tooLong = middleNs;
  }
  return { stopNs: fits, task: firstMiss(set, reservation, tooLong)! };
}

/** The index of a task that can miss a deadline when nothing is supplied for so long once; undefined: none can. */
export function firstMiss(
  { policy, tasks }: TaskSet,
  reservation: Reservation,
  stopNs: Nanos,
): number | undefined {
  if (policy === 'edf') return edfMiss(tasks, reservation, stopNs);
  const late = tasks.findIndex(
    (task, index) => responseTime(task, tasks.slice(0, index), reservation, stopNs) === undefined,
  );
  return late < 0 ? undefined : late;
}
