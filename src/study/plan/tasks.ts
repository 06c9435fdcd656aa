import type { Reservation } from '../../core/cpu/reservation.ts';
import { longestStop } from '../../core/schedulability/longest-stop.ts';
import type { TaskSet } from '../../core/schedulability/real-time-task.ts';
import type { Nanos } from '../../core/units.ts';

/** The real-time task set that runs in the guest. */
export interface GuestTasks extends TaskSet {
  readonly names: readonly string[];
  /** The guest's (Q, P), where the task set's file says it. */
  readonly reservation: Reservation | null;
}

/** How long it may stand under the guest's reservation. */
export interface StopOfTasks {
  readonly reservation: Reservation;
  /** L, after which no deadline is missed by a guest that goes on where it was; null: one is missed without any stop. */
  readonly longestStopNs: Nanos | null;
  /** The task that is late first. */
  readonly task: string;
  /**
   * What a downtime may be. At the destination the guest's server begins anew, which may cost it another P − Q: its first
   * budget comes at the end of its first period, at the latest.
   */
  readonly downtimeNs: Nanos | null;
}

export function stopOfTasks(tasks: GuestTasks, reservation: Reservation): StopOfTasks {
  const { stopNs, task } = longestStop(tasks, reservation);
  const left = stopNs === null ? null : stopNs - (reservation.periodNs - reservation.budgetNs);
  return {
    reservation,
    longestStopNs: stopNs,
    task: tasks.names[task ?? 0]!,
    downtimeNs: left !== null && left > 0 ? left : null,
  };
}

/** Budgets with which the tasks may stand at all: from the least on, up to the most, in twelve steps of the share. */
export function budgetsFor(tasks: GuestTasks, most: Reservation): readonly Reservation[] {
  const steps = 12;
  const all = Array.from({ length: steps }, (_, index) => ({
    periodNs: most.periodNs,
    budgetNs: Math.ceil((most.budgetNs * (index + 1)) / steps / 10_000) * 10_000,
  }));
  return all
    .map((one) => (one.budgetNs > most.budgetNs ? most : one))
    .filter((one) => stopOfTasks(tasks, one).downtimeNs !== null);
}
