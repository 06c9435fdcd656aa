import { exactShares, sumOf } from '../cpu/cpu-admission.ts';
import type { Reservation } from '../cpu/reservation.ts';
import { blackout, timeToSupply } from '../cpu/supply.ts';
import type { Nanos } from '../units.ts';
import { deadlineOf, type RealTimeTask } from './real-time-task.ts';

/**
 * The work that is released and due in any window of this length at most (Baruah, Rosier & Howell 1990):
 *
 *   dbf(t) = Σ max(0, ⌊(t − D)/T⌋ + 1)·C
 */
export function demand(tasks: readonly RealTimeTask[], windowNs: Nanos): Nanos {
  return tasks.reduce((due, task) => due + jobsDue(task, windowNs) * task.workNs, 0);
}

function jobsDue(task: RealTimeTask, windowNs: Nanos): number {
  return Math.max(0, Math.floor((windowNs - deadlineOf(task)) / task.periodNs) + 1);
}

/** Whether EDF inside the reservation meets all deadlines, also after one stop of so long: `edfMiss` finds none. */
export function schedulableInside(
  tasks: readonly RealTimeTask[],
  reservation: Reservation,
  stopNs: Nanos = 0,
): boolean {
  return edfMiss(tasks, reservation, stopNs) === undefined;
}

/**
 * A task that can miss a deadline under EDF inside the reservation, by its index, when for `stopNs` once nothing is
 * supplied; undefined: none can. A window of length t that contains the stop supplies sbf(t − stop) at least, so it is
 * asked whether
 *
 *   dbf(t) ≤ sbf(t − stop) for all t   (Shin & Lee 2003, with stop = 0)
 *
 * With u = Σ C/T: on a whole processor (Q = P) without a stop, u ≤ 1 says it all where deadlines are periods. With
 * u ≥ U anything else fails, at the latest where all periods end together, as there dbf = u·t and the supply is less.
 * With u < U, dbf(t) ≤ u·t + Σ (T − D)·C/T and sbf(t − stop) ≥ U·(t − stop − Δ), so only
 *
 *   t < (U·(stop + Δ) + Σ (T − D)·C/T) / (U − u)
 *
 * can fail. These are searched from the top as in Zhang & Burns' quick processor-demand analysis (2009): between
 * sbf⁻¹(dbf(t)) + stop and t, dbf is at most dbf(t), and the supply at least that.
 */
export function edfMiss(
  tasks: readonly RealTimeTask[],
  reservation: Reservation,
  stopNs: Nanos = 0,
): number | undefined {
  if (tasks.length === 0) return undefined;
  const boundNs = longestWindow(tasks, reservation, stopNs);
  if (boundNs === undefined) return longestOf(tasks);
  let windowNs = lastDeadline(tasks, boundNs);
  while (windowNs > 0) {
    const enoughNs = timeToSupply(reservation, demand(tasks, windowNs)) + stopNs;
    if (enoughNs > windowNs) return tasks.findIndex((task) => isDueAt(task, windowNs));
    windowNs = lastDeadline(tasks, Math.min(enoughNs, windowNs - 1));
  }
  return undefined;
}

/** No window longer than this can fail; undefined: one does, or doubles do not count so far. */
function longestWindow(
  tasks: readonly RealTimeTask[],
  reservation: Reservation,
  stopNs: Nanos,
): Nanos | undefined {
  const { budgetNs: budget, periodNs: period } = reservation;
  const { each, whole } = exactShares([
    { budget, period },
    ...tasks.map(({ workNs, periodNs }) => ({ budget: workNs, period: periodNs })),
  ]);
  const [share, ...shares] = each as [bigint, ...bigint[]];
  const spare = share - sumOf(shares);
  if (spare < 0n) return undefined;
  if (spare === 0n) {
    if (budget < period || stopNs > 0) return undefined;
    // What is due repeats itself with the hyperperiod.
    const isImplicit = tasks.every((task) => deadlineOf(task) === task.periodNs);
    return isImplicit ? 0 : safe(whole);
  }
  const early = tasks.reduce(
    (sum, task, index) => sum + shares[index]! * BigInt(task.periodNs - deadlineOf(task)),
    0n,
  );
  return safe((share * BigInt(stopNs + blackout(reservation)) + early) / spare);
}

function safe(ns: bigint): Nanos | undefined {
  return ns > BigInt(Number.MAX_SAFE_INTEGER) ? undefined : Number(ns);
}

/** The last instant up to `mostNs` at which something can be due, in a window that begins with a release of everything; or 0. */
function lastDeadline(tasks: readonly RealTimeTask[], mostNs: Nanos): Nanos {
  return tasks.reduce((last, task) => {
    const jobs = jobsDue(task, mostNs);
    return jobs === 0 ? last : Math.max(last, (jobs - 1) * task.periodNs + deadlineOf(task));
  }, 0);
}

function isDueAt(task: RealTimeTask, windowNs: Nanos): boolean {
  const sinceFirstNs = windowNs - deadlineOf(task);
  return sinceFirstNs >= 0 && sinceFirstNs % task.periodNs === 0;
}

function longestOf(tasks: readonly RealTimeTask[]): number {
  const longestNs = Math.max(...tasks.map(deadlineOf));
  return tasks.findIndex((task) => deadlineOf(task) === longestNs);
}
