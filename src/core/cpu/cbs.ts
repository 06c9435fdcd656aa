import { InvariantViolated } from '../invariants.ts';
import type { Nanos } from '../units.ts';
import { compareProducts, type Reservation } from './reservation.ts';

/**
 * The constant bandwidth server: the rules by which a server's remaining budget c and deadline d follow what it
 * is asked for and what it uses. Whoever runs servers picks the ready one with the earliest deadline.
 *
 * - `soft`: Abeni & Buttazzo, RTSS 1998. Out of budget, it gets the next one at once, with a later deadline: a
 *   guarantee, no limit.
 * - `hard`: out of budget, it waits for its deadline. A guarantee and a limit.
 * - `linux`: hard, as SCHED_DEADLINE does it (kernel/sched/deadline.c: update_dl_entity, replenish_dl_entity).
 */
export const cbsRules = ['soft', 'hard', 'linux'] as const;
export type CbsRule = (typeof cbsRules)[number];

/** `idle`: nothing to do. `ready`: may run, or runs. `throttled`: has work, and no budget until its deadline. */
export type Phase = 'idle' | 'ready' | 'throttled';

/** Times need not be whole: a deadline may seem to move back by so much of a period. */
const ROUNDING = 1e-9;

/** A reservation whose budget is due before the period ends, D ≤ P: SCHED_DEADLINE's dl_deadline. Without it: P. */
export interface DueReservation extends Reservation {
  readonly relativeDeadlineNs?: Nanos;
}

/** A server's state; changed in place, because it is changed at every turn of a scheduler. */
export interface Server extends DueReservation {
  /** c. Below 0 by as much as it was stopped too late: a debt. */
  remainingNs: Nanos;
  /** d */
  deadlineNs: Nanos;
  phase: Phase;
}

/**
 * A server that has never had a deadline, so that its first work sets one.
 * @throws InvariantViolated not 0 < Q ≤ D ≤ P
 */
export function idleServer({ budgetNs, periodNs, relativeDeadlineNs = periodNs }: DueReservation): Server {
  if (!(budgetNs > 0 && budgetNs <= relativeDeadlineNs && relativeDeadlineNs <= periodNs)) {
    throw new InvariantViolated('cbs: 0 < Q ≤ P', { Q: budgetNs, D: relativeDeadlineNs, P: periodNs });
  }
  const unused = { remainingNs: 0, deadlineNs: Number.NEGATIVE_INFINITY, phase: 'idle' } as const;
  return { budgetNs, periodNs, relativeDeadlineNs, ...unused };
}

/** When a server that has used its budget gets the next one: where its next period begins. */
export function nextBudgetAtNs({ deadlineNs, periodNs, relativeDeadlineNs = periodNs }: Server): Nanos {
  return deadlineNs + (periodNs - relativeDeadlineNs);
}

/**
 * Work arrives at an idle server: c and d are kept if using up c by d stays within the share, and set anew
 * otherwise. Abeni & Buttazzo set anew when c·P ≥ (d − t)·Q, Linux when d < t or c·P > (d − t)·Q.
 */
export function wake(rule: CbsRule, server: Server, now: Nanos): void {
  const { periodNs, relativeDeadlineNs = periodNs } = server;
  if (relativeDeadlineNs < periodNs) setConstrained(server, relativeDeadlineNs, now);
  else setImplicit(rule, server, now);
  server.phase = 'ready';
  exhaust(rule, server, now);
}

function setImplicit(rule: CbsRule, server: Server, now: Nanos): void {
  const { budgetNs, periodNs, deadlineNs, remainingNs } = server;
  const over = compareProducts(remainingNs, periodNs, deadlineNs - now, budgetNs);
  if (rule === 'linux' ? deadlineNs < now || over > 0 : over >= 0) {
    // With c ≤ Q the old deadline is at most a period away, so the new one is no earlier.
    if (!(now + periodNs >= deadlineNs - ROUNDING * periodNs)) throw earlierDeadline(server, now);
    server.remainingNs = budgetNs;
    server.deadlineNs = now + periodNs;
  }
}

/**
 * With D < P, as SCHED_DEADLINE does it (kernel/sched/deadline.c). Up to the deadline a budget is cut to what the density Q/D
 * leaves of it (update_dl_revised_wakeup); from the deadline to the next period there is none (dl_check_constrained_dl).
 */
function setConstrained(server: Server, relativeDeadlineNs: Nanos, now: Nanos): void {
  const { budgetNs } = server;
  // Asleep without budget, it has got the next one at its time all the same.
  if (nextBudgetAtNs(server) <= now) while (server.remainingNs <= 0) postpone(server);
  const laxityNs = server.deadlineNs - now;
  if (nextBudgetAtNs(server) <= now) {
    server.remainingNs = budgetNs;
    server.deadlineNs = now + relativeDeadlineNs;
  } else if (laxityNs < 0) {
    server.remainingNs = Math.min(server.remainingNs, 0);
  } else if (compareProducts(server.remainingNs, relativeDeadlineNs, laxityNs, budgetNs) > 0) {
    server.remainingNs = Math.floor((budgetNs * laxityNs) / relativeDeadlineNs);
  }
}

/** The server has run for `ranNs`, until now. If it sleeps since, its next wake-up sees to a budget used up. */
export function charge(rule: CbsRule, server: Server, ranNs: Nanos, now: Nanos): void {
  server.remainingNs -= ranNs;
  if (!(server.remainingNs <= server.budgetNs)) throw overBudget(server);
  exhaust(rule, server, now);
}

/** The server has no work left; it keeps c and d. */
export function sleep(server: Server): void {
  server.phase = 'idle';
}

/** The next period of a throttled server has come: it gets its next budget, less its debt. */
export function replenish(rule: CbsRule, server: Server, now: Nanos): void {
  server.phase = 'ready';
  postpone(server);
  if (rule === 'linux') while (server.remainingNs <= 0) postpone(server);
  exhaust(rule, server, now);
}

function exhaust(rule: CbsRule, server: Server, now: Nanos): void {
  if (server.remainingNs > 0 || server.phase === 'idle') return;
  if (rule === 'soft') while (server.remainingNs <= 0) postpone(server);
  else if (nextBudgetAtNs(server) > now) server.phase = 'throttled';
  else replenish(rule, server, now);
}

function postpone(server: Server): void {
  server.remainingNs += server.budgetNs;
  server.deadlineNs += server.periodNs;
  if (!(server.remainingNs <= server.budgetNs)) throw overBudget(server);
}

function overBudget({ remainingNs, budgetNs }: Server): InvariantViolated {
  return new InvariantViolated('cbs: c ≤ Q', { c: remainingNs, Q: budgetNs });
}

function earlierDeadline({ deadlineNs, periodNs }: Server, now: Nanos): InvariantViolated {
  return new InvariantViolated('cbs: d never moves back', { from: deadlineNs, to: now + periodNs });
}
