import type { RealTimeTask, TaskPolicy } from '../../../src/core/schedulability/real-time-task.ts';

/** Tasks that are released at `offset` and then in every period, on what is supplied in each unit of time. */
export interface Slotted {
  readonly policy: TaskPolicy;
  readonly tasks: readonly (RealTimeTask & { readonly offset?: number })[];
  /** Whether something is supplied from t to t + 1. */
  readonly supplied: (t: number) => boolean;
  readonly horizon: number;
}

/**
 * One unit of time after the other, as simple as can be and sharing nothing with what it checks.
 * @returns the longest response of each task; Infinity where a job was late
 */
export function slottedResponses({ policy, tasks, supplied, horizon }: Slotted): number[] {
  const responses = tasks.map(() => 0);
  const jobs: { task: number; released: number; due: number; left: number }[] = [];
  for (let t = 0; t < horizon; t++) {
    for (const [task, { offset = 0, periodNs, deadlineNs = periodNs, workNs }] of tasks.entries()) {
      if (t < offset || (t - offset) % periodNs !== 0) continue;
      jobs.push({ task, released: t, due: t + deadlineNs, left: workNs });
    }
    for (const { task, due, left } of jobs)
      if (left > 0 && due <= t) responses[task] = Number.POSITIVE_INFINITY;
    if (!supplied(t)) continue;
    const [first] = jobs
      .filter(({ left }) => left > 0)
      .sort((one, other) => (policy === 'edf' ? one.due - other.due : one.task - other.task));
    if (!first) continue;
    first.left -= 1;
    if (first.left > 0) continue;
    responses[first.task] = Math.max(responses[first.task]!, t + 1 - first.released);
    jobs.splice(jobs.indexOf(first), 1);
  }
  return responses;
}
