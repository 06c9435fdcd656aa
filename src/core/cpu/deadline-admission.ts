import type { Load } from './cpu-admission.ts';
import type { Reservation } from './reservation.ts';

/**
 * Which reservations Linux admits for SCHED_DEADLINE (kernel/sched/deadline.c: sched_dl_overflow, __dl_overflow). Its shares are
 * whole multiples of 2⁻²⁰ of a processor, rounded down (kernel/sched/core.c: to_ratio). They are all added up, those that the
 * kernel keeps on every processor included, and held against all processors together: ΣU ≤ M·share. Nothing is
 * partitioned, and what EDF guarantees on several processors is another question.
 */
export interface DeadlineLimit {
  /** Of each processor: sysctl kernel.sched_rt_runtime_us in every kernel.sched_rt_period_us; null (−1): nothing is refused. */
  readonly most: Reservation | null;
  /** What the kernel has reserved of each processor, for programs that have no reservation: its fair server. */
  readonly kept: Reservation | null;
}

/** The kernel's own defaults, without a fair server: what is said of no machine in particular. */
export const defaultDeadlineLimit: DeadlineLimit = {
  most: { budgetNs: 950_000_000, periodNs: 1_000_000_000 },
  kept: null,
};

/** BW_SHIFT: what one processor counts. */
const WHOLE = 2n ** 20n;

type Asked = Pick<Load, 'budget' | 'period'>;

/** Whether the kernel lets all this be reserved at once, of so many processors. */
export function deadlineAdmits(
  loads: readonly Asked[],
  processors: number,
  limit: DeadlineLimit = defaultDeadlineLimit,
): boolean {
  const room = roomOf(limit);
  return room === undefined || sumOf(loads) <= BigInt(processors) * room;
}

/** How much of so many processors may be reserved; without a limit, all of them. */
export function deadlineReservable(processors: number, limit: DeadlineLimit): number {
  return (processors * Number(roomOf(limit) ?? WHOLE)) / Number(WHOLE);
}

/**
 * Who of these is the first that the kernel refuses, when they ask in this order, and why.
 * @returns undefined: it admits them all
 */
export function deadlineMisfit(
  loads: readonly Load[],
  processors: number,
  format: (time: number) => string = String,
): { readonly misfit: string; readonly why: string } | undefined {
  const index = loads.findIndex((_, last) => !deadlineAdmits(loads.slice(0, last + 1), processors));
  const load = loads[index];
  if (!load) return undefined;
  const { name, budget, period } = load;
  const before = sumOf(loads.slice(0, index));
  const held = index === 0 ? '' : `, beside ${percent(Number(before) / Number(WHOLE))} reserved already,`;
  const offer = processors === 1 ? 'a processor' : `${processors} processors`;
  const most = deadlineReservable(processors, defaultDeadlineLimit);
  const left = BigInt(processors) * roomOf(defaultDeadlineLimit)! - before;
  const instead = Number(((left + 1n) * BigInt(period) - 1n) / WHOLE);
  const why =
    `${name} (${format(budget)} of every ${format(period)}) is refused: ${percent(budget / period)}${held} ` +
    `is more than the ${percent(most)} of ${offer} that the kernel lets be reserved; ` +
    `at most ${format(instead)} of every ${format(period)} would do`;
  return { misfit: name, why };
}

/** to_ratio */
function ratioOf({ budget, period }: Asked): bigint {
  return (BigInt(budget) * WHOLE) / BigInt(period);
}

/** Of one processor; undefined: nothing is refused. */
function roomOf({ most, kept }: DeadlineLimit): bigint | undefined {
  if (!most) return undefined;
  const of = ({ budgetNs, periodNs }: Reservation) => ratioOf({ budget: budgetNs, period: periodNs });
  return of(most) - (kept ? of(kept) : 0n);
}

function sumOf(loads: readonly Asked[]): bigint {
  return loads.reduce((sum, load) => sum + ratioOf(load), 0n);
}

/** Rounded up: whoever has not what is asked has not this either. */
function percent(share: number): string {
  return `${(Math.ceil(Number((1000 * share).toFixed(6))) / 10).toFixed(1)} %`;
}
