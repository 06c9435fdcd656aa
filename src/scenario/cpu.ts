import { z } from 'zod';
import { admitted, type CpuPlan, ruleOf, schedulers } from '../core/cpu/cpu-plan.ts';
import type { Reservation } from '../core/cpu/reservation.ts';
import { expected, formatDuration, NANOS_PER_MILLISECOND, parseDuration } from '../core/units.ts';
import type { BackgroundDocument } from './background.ts';
import { quantity, whole } from './quantity.ts';

/** What a scenario says of the processors: who has a reservation, who else wants to run. */
const someTime = quantity(parseDuration, `${expected.duration} above 0`, (ns) => ns > 0);

export const cpuTime = quantity(parseDuration, expected.duration);

export const reservationSchema = z
  .strictObject({ budget: someTime, period: someTime }, 'none or a reservation: { budget, period }')
  .transform(({ budget, period }): Reservation => ({ budgetNs: budget, periodNs: period }));

export const cpuSchema = z.strictObject(
  {
    scheduler: z.enum(schedulers, `a scheduler: ${schedulers.join(', ')}`).optional(),
    processors: whole(1, 1024).default(1),
    reclaim: z.boolean('true or false').default(false),
  },
  'a cpu: { scheduler, processors, … }',
);

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
    processors: cpu.processors,
    guest: guest.reservation ?? null,
    sender: sender.reservation ?? null,
    cpuPerPageNs: sender.cpuPerPage,
    cpuPerHandoverNs: sender.cpuPerHandover,
    hogs: background.reduce((sum, each) => sum + (each.kind === 'cpu-hog' ? each.count : 0), 0),
    reclaim: cpu.reclaim,
  };
}

/** The kernel's limits: sysctl kernel.sched_deadline_period_min_us and _max_us; a budget of 2^10 ns (DL_SCALE). */
const KERNEL_PERIOD_MIN_NS = 100_000;
const KERNEL_PERIOD_MAX_NS = 2 ** 22 * 1000;
const KERNEL_BUDGET_MIN_NS = 1024;

/** Calls `insist` for everything that a plan must hold before anything is started. */
export function checkCpu(
  plan: CpuPlan,
  insist: (holds: boolean, path: string, expected: string, found: unknown) => void,
): void {
  let each = true;
  for (const [path, reservation] of [
    ['guest.reservation', plan.guest],
    ['sender.reservation', plan.sender],
  ] as const) {
    if (!reservation) continue;
    const { budgetNs, periodNs } = reservation;
    const found = `${formatDuration(budgetNs)} every ${formatDuration(periodNs)}`;
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
  const { budgetNs, periodNs } = misfit === 'guest' ? plan.guest! : plan.sender!;
  const found = `${formatDuration(budgetNs)} every ${formatDuration(periodNs)}`;
  insist(false, `${misfit}.reservation`, `reservations that fit (${why})`, found);
}

/** As a scenario writes it, so that it can be copied from the message. */
function milliseconds(ns: number): string {
  return `${Number((ns / NANOS_PER_MILLISECOND).toPrecision(6))}ms`;
}
