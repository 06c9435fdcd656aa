import type { Nanos } from '../units.ts';

/** A sporadic task: a job of so much work at least a period after the one before, due `deadlineNs` after its release. */
export interface RealTimeTask {
  /** C, the most that a job takes. */
  readonly workNs: Nanos;
  /** T */
  readonly periodNs: Nanos;
  /** D, at most T. Without it: T. */
  readonly deadlineNs?: Nanos;
}

/** In whose order the jobs of a task set run: the earliest deadline first, or the first task of the list that has one. */
export const taskPolicies = ['edf', 'fixed-priority'] as const;
export type TaskPolicy = (typeof taskPolicies)[number];

/** Tasks that share a processor, or a reservation of one. Under fixed priorities the highest is the first. */
export interface TaskSet {
  readonly policy: TaskPolicy;
  readonly tasks: readonly RealTimeTask[];
}

export function deadlineOf({ deadlineNs, periodNs }: RealTimeTask): Nanos {
  return deadlineNs ?? periodNs;
}
