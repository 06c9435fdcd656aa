import { MOST_RESERVED, reservable } from '../core/cpu/cpu-admission.ts';
import type { KeptReservation } from '../core/cpu/cpu-plan.ts';
import { type DeadlineLimit, deadlineAdmits, deadlineReservable } from '../core/cpu/deadline-admission.ts';
import { type Reservation, shareOf } from '../core/cpu/reservation.ts';
import { deadlineLimit } from '../platform/deadline-limit.ts';
import { Refusal } from '../platform/failure.ts';
import { type ProcessorLimit, processorLimit } from '../platform/machine-limits.ts';

/** For what something is reserved of the processors: guests that live here, senders of migrations, experiments. */
export const cpuHolders = ['guest', 'migration', 'experiment'] as const;
type CpuHolder = (typeof cpuHolders)[number];

interface Held {
  readonly holder: CpuHolder;
  /** Of the guest; of others, the id. */
  readonly name: string;
  readonly reservations: readonly KeptReservation[];
}

/**
 * The processors of this host, and what this daemon has reserved of them for all that it runs at once, by the rule of
 * whoever keeps it. Under `deadline` that is the kernel: it adds up all shares, and says how much of all processors
 * together may be reserved. The others are kept by the dispatcher: each fits on one processor, and of none more than 0.95 is
 * reserved. All together have at most 0.95 of the time that this process gets, as far as the dispatcher or a
 * container's limit has a part in it.
 */
export class HostCpu {
  readonly #limit: ProcessorLimit;
  readonly #kernel: DeadlineLimit;
  readonly #held = new Set<Held>();
  #freed: () => void = () => {};

  constructor(limit = processorLimit(), kernel = deadlineLimit()) {
    this.#limit = limit;
    this.#kernel = kernel;
  }

  /** @param freed told whenever something is given back */
  watch(freed: () => void): void {
    this.#freed = freed;
  }

  /** @returns how to give it back, as often as one likes. @throws Refusal it does not fit beside what there is */
  take(holder: CpuHolder, name: string, reservations: readonly KeptReservation[]): () => void {
    if (reservations.length === 0) return () => {};
    if (!this.fits(reservations)) throw new Refusal(this.whyNot(reservations));
    const held = { holder, name, reservations };
    this.#held.add(held);
    return () => {
      if (this.#held.delete(held)) this.#freed();
    };
  }

  /** Whether there is room beside all that is reserved, or would be if only these were left. */
  fits(reservations: readonly KeptReservation[], beside: readonly CpuHolder[] = cpuHolders): boolean {
    const held = [...this.#held].filter(({ holder }) => beside.includes(holder));
    const all = [...held.flatMap((one) => one.reservations), ...reservations];
    const [kernels, dispatched] = [all.filter(isKernels), all.filter((one) => !isKernels(one))];
    const { count, time } = this.#limit;
    if (!deadlineAdmits(loadsOf(kernels), count, this.#kernel)) return false;
    if (!reservable(loadsOf(dispatched), count)) return false;
    return (dispatched.length === 0 && time >= count) || sumOf(all) <= MOST_RESERVED * time;
  }

  /** As much of this as fits beside all that is reserved, in hundredths of it; undefined: none of it does. */
  roomFor({ budgetNs, periodNs, scheduler }: KeptReservation): Reservation | undefined {
    for (let percent = 100; percent > 0; percent--) {
      const part = { budgetNs: Math.floor((budgetNs * percent) / 100), periodNs };
      if (this.fits([{ ...part, scheduler }])) return part;
    }
    return undefined;
  }

  /** What was asked for, what is in use, and of what. */
  whyNot(reservations: readonly KeptReservation[]): string {
    const asked = reservations.map(shareOf).map((share) => share.toFixed(2));
    const { count, time, by } = this.#limit;
    const kernels = deadlineReservable(count, this.#kernel).toFixed(2);
    const limit = reservations.some(isKernels)
      ? `the kernel lets ${kernels} of all together be reserved`
      : `at most ${MOST_RESERVED} of each may be reserved`;
    const processors = time < count ? `the ${Number(time.toFixed(2))} that ${by} allows` : count;
    const inUse = this.#reserved().toFixed(2);
    return `${asked.join(' and ')} of a processor asked for, ${inUse} in use, of ${processors}; ${limit}`;
  }

  /** As the API shows it. Shares are parts of one processor. */
  view() {
    const holders = [...this.#held].map(({ reservations, ...held }) => ({
      ...held,
      reservations: reservations.map(({ budgetNs, periodNs }) => ({ budgetNs, periodNs })),
      share: sumOf(reservations),
    }));
    const reserved = Object.fromEntries(cpuHolders.map((holder) => [holder, this.#reserved(holder)]));
    return {
      processors: this.#limit.time,
      reservablePerProcessor: MOST_RESERVED,
      reserved: reserved as Readonly<Record<CpuHolder, number>>,
      holders,
    };
  }

  /** What may be reserved, what is, and what would be left beside these; less than 0: they do not fit now. */
  leftBeside(reservations: readonly Reservation[]) {
    const reservableProcessors = MOST_RESERVED * this.#limit.time;
    const reservedProcessors = this.#reserved();
    const leftProcessors = reservableProcessors - reservedProcessors - sumOf(reservations);
    return { reservableProcessors, reservedProcessors, leftProcessors };
  }

  #reserved(by?: CpuHolder): number {
    const held = [...this.#held].filter(({ holder }) => by === undefined || holder === by);
    return held.reduce((sum, { reservations }) => sum + sumOf(reservations), 0);
  }
}

function isKernels({ scheduler }: KeptReservation): boolean {
  return scheduler === 'deadline';
}

function loadsOf(reservations: readonly Reservation[]) {
  return reservations.map(({ budgetNs, periodNs }) => ({ budget: budgetNs, period: periodNs }));
}

function sumOf(reservations: readonly Reservation[]): number {
  return reservations.reduce((sum, reservation) => sum + shareOf(reservation), 0);
}
