import type { Nanos } from '../units.ts';
import { firstFitDecreasing, type Placement } from './admission.ts';
import type { CbsRule } from './cbs.ts';
import type { Reservation } from './reservation.ts';

/**
 * Who decides which thread runs. `none`: the operating system, as it likes. `fair`: round robin, 4 ms each.
 * `cbs-soft`, `cbs-hard`: reservations by a constant bandwidth server. `deadline`: the kernel's SCHED_DEADLINE.
 */
export const schedulers = ['none', 'fair', 'cbs-soft', 'cbs-hard', 'deadline'] as const;
export type Scheduler = (typeof schedulers)[number];

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

/** Whether the reservations can be kept, each on a processor of its own choice. */
export function admitted(plan: CpuPlan, format: (ns: Nanos) => string): Placement {
  const loads = reserved(plan).map(({ name, reservation }) => ({
    name,
    budget: reservation.budgetNs,
    period: reservation.periodNs,
  }));
  return firstFitDecreasing(loads, plan.processors, format);
}

/**
 * Guest, sender and hogs on their processors: reservations first-fit decreasing, the others one by one where the
 * fewest are. The plan must have been admitted.
 */
export function schedEntities(plan: CpuPlan): readonly SchedEntity[] {
  const placement = admitted(plan, String);
  if (!placement.admitted) throw new RangeError(placement.why);
  const withReservation = reserved(plan).map((entity, index) => ({
    ...entity,
    processor: placement.processorOf[index]!,
  }));
  const crowd = new Array<number>(plan.processors).fill(0);
  for (const { processor } of withReservation) crowd[processor]! += 1;
  const leastCrowded = () => crowd.indexOf(Math.min(...crowd));
  const without = [
    ...(plan.guest ? [] : [only('guest')]),
    ...(plan.sender ? [] : [only('sender')]),
    ...Array.from({ length: plan.hogs }, (_, index) => ({ kind: 'hog', name: `hog-${index + 1}` }) as const),
  ].map((entity) => {
    const processor = leastCrowded();
    crowd[processor]! += 1;
    return { ...entity, reservation: null, processor };
  });
  return [...withReservation, ...without];
}

/** The same for a guest whose thread is not scheduled here. */
export function schedEntitiesBesidesGuest(plan: CpuPlan): readonly SchedEntity[] {
  return schedEntities({ ...plan, guest: null }).filter(({ kind }) => kind !== 'guest');
}

/** There is one of its kind, and that is its name. */
function only<Kind extends 'guest' | 'sender'>(kind: Kind): { readonly kind: Kind; readonly name: Kind } {
  return { kind, name: kind };
}

function reserved({ guest, sender }: CpuPlan) {
  return [
    ...(guest ? [{ ...only('guest'), reservation: guest }] : []),
    ...(sender ? [{ ...only('sender'), reservation: sender }] : []),
  ];
}
