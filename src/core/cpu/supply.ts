import type { Nanos } from '../units.ts';
import type { Reservation } from './reservation.ts';

/**
 * The longest that a reservation can leave work waiting, Δ = 2(P − Q): one budget at the beginning of its period,
 * the next at the end of its own.
 */
export function blackout({ budgetNs, periodNs }: Reservation): Nanos {
  return 2 * (periodNs - budgetNs);
}

/**
 * The least CPU time that a reservation supplies in any window of this length in which it has work (Shin & Lee,
 * RTSS 2003, supply bound function of the periodic resource model):
 *
 *   sbf(t) = kQ + max(0, t − 2(P − Q) − kP)   with k = ⌊(t − (P − Q))/P⌋;   0 for t < P − Q
 */
export function leastSupply(reservation: Reservation, windowNs: Nanos): Nanos {
  const { budgetNs, periodNs } = reservation;
  const gapNs = periodNs - budgetNs;
  if (windowNs < gapNs) return 0;
  const budgets = Math.floor((windowNs - gapNs) / periodNs);
  return budgets * budgetNs + Math.max(0, windowNs - blackout(reservation) - budgets * periodNs);
}

/**
 * The least t with sbf(t) ≥ w: so much work is certainly done in that time. Behind the
 * blackout, each budget that it takes is followed by a pause of P − Q, but for the last:
 *
 *   sbf⁻¹(w) = (⌈w/Q⌉ + 1)(P − Q) + w   for w > 0;   0 for w = 0
 */
export function timeToSupply(reservation: Reservation, workNs: Nanos): Nanos {
  if (workNs <= 0) return 0;
  const { budgetNs, periodNs } = reservation;
  return (Math.ceil(workNs / budgetNs) + 1) * (periodNs - budgetNs) + workNs;
}

/** The straight line below sbf that touches it: lsbf(t) = U·(t − Δ), and not below 0 (Shin & Lee 2003). */
export function linearLeastSupply(reservation: Reservation, windowNs: Nanos): number {
  const { budgetNs, periodNs } = reservation;
  return (budgetNs * Math.max(0, windowNs - blackout(reservation))) / periodNs;
}

/**
 * The most that the hard rule lets a server have in any window, if no deadline is missed: min(t, U·(t + Δ)), the
 * mirror image of lsbf.
 *
 * Let e = c − U·(d − now), the budget beyond an even share until the deadline. Time raises e at rate U and service
 * lowers it at rate 1; replenishing (c += Q, d += P) leaves it as it is; a wake-up that sets c and d anew does so
 * because e ≥ 0, and makes it 0. Hence supply in [a, b] ≤ U·(b − a) + e(a) − e(b). A budget c is served by d, so
 * c ≤ d − now and e ≤ (1 − U)·c ≤ (1 − U)·Q; and e is at least 0 when a budget is set, so after having served
 * s ≤ Q of it, which took s at least, e ≥ (U − 1)·s. So the supply is at most U·t + 2(1 − U)·Q.
 *
 * It is reached by one that is served its budget just before a deadline, then works at an even share, sleeping, and
 * at last wakes anew and is served at once. One that never sleeps gets no more than min(t, Q) + s(t − Q), with s
 * budgets at the beginning of every period.
 */
export function mostSupply(reservation: Reservation, windowNs: Nanos): number {
  const { budgetNs, periodNs } = reservation;
  return Math.min(windowNs, (budgetNs * (windowNs + blackout(reservation))) / periodNs);
}

export interface StopDemand {
  readonly pages: number;
  readonly cpuPerPageNs: Nanos;
  /** T_d: one page on the link at the rate of the stop. */
  readonly pageLinkNs: Nanos;
  /** The sender's; null: the processor is free for it. */
  readonly reservation: Reservation | null;
}

/**
 * How long the stop's n pages take at most, when the sender's CPU prepares each, in w, before the link sends it, in
 * T_d, and prepares the next ones meanwhile. Page k is prepared by sbf⁻¹(k·w); if it is the last that the link had
 * to wait for, it and all later ones then follow without a break:
 *
 *   max over k = 1..n of sbf⁻¹(k·w) + (n − k + 1)·T_d
 *
 * With a processor free for it, sbf⁻¹(k·w) = k·w; with w = 0 this is the n·T_d of the paper.
 */
export function stopBound({ pages, cpuPerPageNs, pageLinkNs, reservation }: StopDemand): Nanos {
  const promised = reservation ?? { budgetNs: 1, periodNs: 1 };
  let longestNs = 0;
  for (let page = 1; page <= pages; page++) {
    const preparedNs = timeToSupply(promised, page * cpuPerPageNs);
    longestNs = Math.max(longestNs, preparedNs + (pages - page + 1) * pageLinkNs);
  }
  return longestNs;
}
