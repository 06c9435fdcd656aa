import { type BytesPerSecond, NANOS_PER_SECOND } from '../../core/units.ts';
import { type Choice, type ReservedPath, scaled } from './choice.ts';
import { clauseOf, type PlanProblem } from './plan-problem.ts';

/** A choice with no more of anything than there is. */
export function withinReach({ capacity, senderMost }: PlanProblem, choice: Choice): Choice {
  const { sender } = choice;
  return {
    ...choice,
    rate: Math.min(choice.rate, capacity),
    stopRate: choice.stopRate && Math.min(choice.stopRate, capacity),
    sender: sender && senderMost && sender.budgetNs > senderMost.budgetNs ? senderMost : sender,
  };
}

export function isSame(one: Choice, other: Choice): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

/**
 * The least b_d that makes sense, whatever the target says: a stop carries at least one page, and what its devices have, within its
 * limit. null: there is no such limit.
 */
export function leastStopRate({ cell, target }: Pick<PlanProblem, 'cell' | 'target'>): BytesPerSecond | null {
  const downtime = clauseOf(target, 'downtime');
  if (!downtime) return null;
  const { pageBytes, device } = cell.plan;
  const bytes = pageBytes + (device?.stateBytes ?? 0);
  return (bytes * NANOS_PER_SECOND) / downtime.limitNs;
}

/** Less than this part of what it has makes no sense. */
export function leastPart(problem: PlanProblem, choice: Choice, path: ReservedPath): number {
  if (path !== 'link.stopRate' || choice.stopRate === null) return 0;
  return (leastStopRate(problem) ?? 0) / choice.stopRate;
}

/** Why no less of it is reserved, though no clause of the target asks for it; null: it is not that. */
export function floorOf(problem: PlanProblem, choice: Choice, path: ReservedPath): string | null {
  if (isSame(scaled(choice, path, 0.9), choice)) return 'the least that can be said';
  return leastPart(problem, choice, path) > 0.9 ? 'one page within the limit' : null;
}
