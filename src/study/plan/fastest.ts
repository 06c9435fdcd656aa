import { ruleOf } from '../../core/cpu/cpu-plan.ts';
import { type Reservation, shareOf } from '../../core/cpu/reservation.ts';
import { blackout } from '../../core/cpu/supply.ts';
import { type BytesPerSecond, formatRate, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { PlanProblem } from './plan-problem.ts';

/** A rate that no choice exceeds. */
export interface MostRate {
  readonly rate: BytesPerSecond;
  /** `10 Gbit/s` */
  readonly text: string;
  /** What the link has left decides, not what is kept. */
  readonly isLinks: boolean;
}

/** The most that b or b_d can be: what the link has left, or what is kept as the scenario says. */
export function mostRate(
  { cell: { plan }, keep, capacity }: Pick<PlanProblem, 'cell' | 'keep' | 'capacity'>,
  path: 'link.rate' | 'link.stopRate',
): MostRate {
  const kept = path === 'link.rate' ? plan.rateBytesPerSecond : plan.stopRateBytesPerSecond;
  if (!keep.has(path) || kept === null || kept >= capacity) {
    return { rate: capacity, text: formatRate(capacity), isLinks: true };
  }
  return { rate: kept, text: `${formatRate(kept)} of ${path}, which is kept`, isLinks: false };
}

export function timeOnLink(bytes: number, rate: BytesPerSecond): Nanos {
  return (Math.max(0, bytes) * NANOS_PER_SECOND) / rate;
}

export function rateFor(bytes: number, ns: Nanos): BytesPerSecond {
  return Math.ceil((Math.max(0, bytes) * NANOS_PER_SECOND) / ns);
}

/**
 * What the sender's reservation limits it to, with the most that it can have; null: only the processor does. A soft server
 * may use what others leave, and one without a reservation too.
 */
export function senderLimit({
  cell: { cpu },
  senderMost,
}: Pick<PlanProblem, 'cell' | 'senderMost'>): Reservation | null {
  const rule = ruleOf[cpu.scheduler];
  return (rule === 'hard' || rule === 'linux') && !cpu.reclaim ? senderMost : null;
}

/** The least time in which the sender has so much CPU time: the inverse of `mostSupply`, max(w, w/U − Δ). */
export function senderTime(limit: Reservation | null, workNs: Nanos): Nanos {
  if (limit === null || workNs <= 0) return Math.max(0, workNs);
  return Math.max(workNs, workNs / shareOf(limit) - blackout(limit));
}
