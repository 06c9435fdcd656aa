import { z } from 'zod';
import { admitted, type CpuPlan, ruleOf, schedulers } from '../core/cpu/cpu-plan.ts';
import { formatReservation, type Reservation } from '../core/cpu/reservation.ts';
import { NANOS_PER_MILLISECOND } from '../core/units.ts';
import type { BackgroundDocument } from './background.ts';
import type { Insist } from './checked.ts';
import { definition } from './object-schema.ts';
import { durationAboveZero, flag, noneOr, whole } from './quantity.ts';

/** What a scenario says of the processors: who has a reservation, who else wants to run. */
const reservation = definition(
  'Reservation',
  'A budget of CPU time in every period.',
  'a reservation: { budget, period }',
  {
    budget: durationAboveZero.describe('Q, a time: CPU time in every period (the kernel’s sched_runtime).'),
    period: durationAboveZero.describe('P, a time, at least the budget.'),
  },
).transform(({ budget, period }): Reservation => ({ budgetNs: budget, periodNs: period }));

/** For a guest or a sender. */
export const reservationSchema = noneOr(reservation, 'none or a reservation: { budget, period }');

/** How the scheduler is named, in a scenario and in what is asked of a daemon. */
export const schedulerSchema = z.enum(schedulers, `a scheduler: ${schedulers.join(', ')}`);

export const cpuSchema = definition(
  'Processors',
  'The processors, and who decides which thread runs.',
  'a cpu: { scheduler, processors, … }',
  {
    scheduler: schedulerSchema
      .optional()
      .describe(
        'Who decides which thread runs. `none`: the operating system; in virtual time the fair class of Linux 6.15 (EEVDF) on these processors. `fair`: in turn, 4 ms each. `cbs-soft`, `cbs-hard`: reservations by a constant bandwidth server. `deadline`: reservations by the kernel’s SCHED_DEADLINE. Without it: cbs-hard where there is a reservation, otherwise none.',
      ),
    processors: whole(1, 1024)
      .default(1)
      .describe(
        'Processors of guest, sender and hogs together. Real threads under `none` use all that the machine has.',
      ),
    reclaim: flag
      .default(false)
      .describe(
        'Whether a reservation may use what others leave of theirs (GRUB); with scheduler deadline alone.',
      ),
  },
).prefault({});

/** The part of a scenario that is about processors, as the schema leaves it. */
export interface CpuDocument {
  readonly guest: { readonly reservation?: Reservation | undefined };
  readonly sender: {
    readonly reservation?: Reservation | undefined;
    readonly cpuPerPage: number;
    readonly cpuPerHandover: number;
  };
  readonly cpu: z.infer<typeof cpuSchema>;
  readonly background: BackgroundDocument;
}

/** A reservation needs a scheduler that keeps it; the default is one. */
export function resolveCpu({ guest, sender, cpu, background }: CpuDocument): CpuPlan {
  const reserved = guest.reservation !== undefined || sender.reservation !== undefined;
  return {
    scheduler: cpu.scheduler ?? (reserved ? 'cbs-hard' : 'none'),
    guestScheduler: null,
    processors: cpu.processors,
    guest: guest.reservation ?? null,
    sender: sender.reservation ?? null,
    cpuPerPageNs: sender.cpuPerPage,
    cpuPerHandoverNs: sender.cpuPerHandover,
    hogs: background.reduce((sum, each) => sum + (each?.kind === 'cpu-hog' ? each.count : 0), 0),
    reclaim: cpu.reclaim,
  };
}

/** The kernel's limits: sysctl kernel.sched_deadline_period_min_us and _max_us; a budget of 2^10 ns (DL_SCALE). */
const KERNEL_PERIOD_MIN_NS = 100_000;
const KERNEL_PERIOD_MAX_NS = 2 ** 22 * 1000;
const KERNEL_BUDGET_MIN_NS = 1024;

/** Calls `insist` for everything that a plan must hold before anything is started. */
export function checkCpu(plan: CpuPlan, insist: Insist): void {
  let each = true;
  for (const [path, reservation] of [
    ['guest.reservation', plan.guest],
    ['sender.reservation', plan.sender],
  ] as const) {
    if (!reservation) continue;
    const { budgetNs, periodNs } = reservation;
    const found = formatReservation(reservation);
    each &&= budgetNs <= periodNs;
    insist(budgetNs <= periodNs, `${path}.budget`, 'at most the period', found);
    const keeps = ruleOf[plan.scheduler] !== undefined;
    insist(
      keeps,
      'cpu.scheduler',
      `one that keeps reservations (cbs-soft, cbs-hard, deadline), or no ${path}`,
      plan.scheduler,
    );
    if (plan.scheduler !== 'deadline') continue;
    const period = periodNs >= KERNEL_PERIOD_MIN_NS && periodNs <= KERNEL_PERIOD_MAX_NS;
    insist(period, `${path}.period`, 'from 100us to 4.19s, which is what the kernel takes', found);
    insist(budgetNs >= KERNEL_BUDGET_MIN_NS, `${path}.budget`, 'at least 1024ns for the kernel', found);
  }
  const reclaims = !plan.reclaim || plan.scheduler === 'deadline';
  insist(reclaims, 'cpu.reclaim', 'false, except with cpu.scheduler deadline', plan.reclaim);
  if (!each) return;
  const placement = admitted(plan, milliseconds);
  if (placement.admitted) return;
  const { misfit, why } = placement;
  const found = formatReservation(misfit === 'guest' ? plan.guest! : plan.sender!);
  insist(false, `${misfit}.reservation`, `reservations that fit (${why})`, found);
}

/** As a scenario writes it, so that it can be copied from the message. */
function milliseconds(ns: number): string {
  return `${Number((ns / NANOS_PER_MILLISECOND).toPrecision(6))}ms`;
}
