import type { Nanos } from '../units.ts';
import type { CbsRule } from './cbs.ts';
import { firstFitDecreasing, type Placement } from './cpu-admission.ts';
import { deadlineMisfit } from './deadline-admission.ts';
import type { Reservation } from './reservation.ts';

/**
 * Who decides which thread runs. `none`: the operating system, in virtual time as Linux does it (`eevdf-queue.ts`). `fair`: round robin, 4 ms each.
 * `cbs-soft`, `cbs-hard`: reservations by a constant bandwidth server. `deadline`: the kernel's SCHED_DEADLINE.
 */
export const schedulers = ['none', 'fair', 'cbs-soft', 'cbs-hard', 'deadline'] as const;
export type Scheduler = (typeof schedulers)[number];

/** A reservation, and who keeps it. */
export interface KeptReservation extends Reservation {
  readonly scheduler: Scheduler;
}

/** How a scheduler keeps reservations; `undefined`: it keeps none. */
export const ruleOf: Readonly<Record<Scheduler, CbsRule | undefined>> = {
  none: undefined,
  fair: undefined,
  'cbs-soft': 'soft',
  'cbs-hard': 'hard',
  deadline: 'linux',
};

/** What is reserved of the processors, and who else wants them. */
export interface CpuPlan {
  readonly scheduler: Scheduler;
  readonly processors: number;
  readonly guest: Reservation | null;
  readonly sender: Reservation | null;
  /** CPU time that the sender takes to prepare a page and to send it; in a real world, at least so much. */
  readonly cpuPerPageNs: Nanos;
  /** The same for the hand-over: digest, commit, and what goes with them. */
  readonly cpuPerHandoverNs: Nanos;
  /** Programs that always want to run. */
  readonly hogs: number;
  /** Whether a reservation may use what others leave of theirs (SCHED_FLAG_RECLAIM). */
  readonly reclaim: boolean;
}

/** Nothing reserved, nobody else there. */
export const freeCpu: CpuPlan = {
  scheduler: 'none',
  processors: 1,
  guest: null,
  sender: null,
  cpuPerPageNs: 0,
  cpuPerHandoverNs: 0,
  hogs: 0,
  reclaim: false,
};

/** Whether it matters who has a processor when. */
export function isContended({ scheduler, hogs, cpuPerPageNs, cpuPerHandoverNs }: CpuPlan): boolean {
  return scheduler !== 'none' || hogs > 0 || cpuPerPageNs > 0 || cpuPerHandoverNs > 0;
}

/** One that competes for the processors. A hog is a program that always wants to run. */
export interface SchedEntity {
  readonly kind: 'guest' | 'sender' | 'hog';
  readonly name: string;
  readonly reservation: Reservation | null;
  readonly processor: number;
}

/**
 * Whether the reservations can be kept, each on a processor of its own choice. The kernel has its own rule, and keeps nobody
 * on one processor while another one is free.
 */
export function admitted(plan: CpuPlan, format: (ns: Nanos) => string): Placement {
  const { scheduler, processors } = plan;
  const loads = contenders(plan).flatMap(({ name, reservation }) =>
    reservation ? [{ name, budget: reservation.budgetNs, period: reservation.periodNs }] : [],
  );
  if (scheduler !== 'deadline') return firstFitDecreasing(loads, processors, format);
  const refused = deadlineMisfit(loads, processors, format);
  if (refused) return { admitted: false, ...refused };
  return { admitted: true, processorOf: loads.map((_, index) => index % processors) };
}

/**
 * Guest, sender and hogs on their processors: reservations as `admitted` places them, the others one by one where the
 * fewest are. The plan must have been admitted.
 */
export function schedEntities(plan: CpuPlan): readonly SchedEntity[] {
  const placement = admitted(plan, String);
  if (!placement.admitted) throw new RangeError(placement.why);
  const all = contenders(plan);
  const crowd = new Array<number>(plan.processors).fill(0);
  const on = (processor: number) => {
    crowd[processor]! += 1;
    return processor;
  };
  const reserved = all
    .filter(({ reservation }) => reservation !== null)
    .map((entity, index) => ({ ...entity, processor: on(placement.processorOf[index]!) }));
  const others = all
    .filter(({ reservation }) => reservation === null)
    .map((entity) => ({ ...entity, processor: on(crowd.indexOf(Math.min(...crowd))) }));
  return [...reserved, ...others];
}

/** The same for a guest whose thread is not scheduled here. */
export function schedEntitiesBesidesGuest(plan: CpuPlan): readonly SchedEntity[] {
  return schedEntities({ ...plan, guest: null }).filter(({ kind }) => kind !== 'guest');
}

function contenders({ guest, sender, hogs }: CpuPlan): readonly Omit<SchedEntity, 'processor'>[] {
  return [
    { kind: 'guest', name: 'guest', reservation: guest },
    { kind: 'sender', name: 'sender', reservation: sender },
    ...Array.from({ length: hogs }, (_, index) => {
      return { kind: 'hog', name: `hog-${index + 1}`, reservation: null } as const;
    }),
  ];
}
