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
  /** Who schedules sender and hogs, and the guest where it shares their processors. */
  readonly scheduler: Scheduler;
  /** Who schedules the guest where it has a processor of its own besides, as on a host on which it lives; null: it shares theirs. */
  readonly guestScheduler: Scheduler | null;
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
  guestScheduler: null,
  processors: 1,
  guest: null,
  sender: null,
  cpuPerPageNs: 0,
  cpuPerHandoverNs: 0,
  hogs: 0,
  reclaim: false,
};

/** Whether it matters who has a processor when. */
export function isContended(plan: CpuPlan): boolean {
  const { scheduler, hogs, cpuPerPageNs, cpuPerHandoverNs } = plan;
  const isScheduled = scheduler !== 'none' || schedulerOf(plan, 'guest') !== 'none';
  return isScheduled || hogs > 0 || cpuPerPageNs > 0 || cpuPerHandoverNs > 0;
}

/** One that competes for the processors. A hog is a program that always wants to run. */
export interface SchedEntity {
  readonly kind: 'guest' | 'sender' | 'hog';
  readonly name: string;
  readonly reservation: Reservation | null;
  readonly processor: number;
}

export function schedulerOf(
  { scheduler, guestScheduler }: Pick<CpuPlan, 'scheduler' | 'guestScheduler'>,
  kind: SchedEntity['kind'],
): Scheduler {
  return kind === 'guest' && guestScheduler !== null ? guestScheduler : scheduler;
}

/**
 * Whether the reservations can be kept, each on a processor of its own choice. The kernel has its own rule, and keeps nobody
 * on one processor while another one is free. A guest that has a processor of its own is not asked for here.
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
 * fewest are. A processor of the guest's own comes after these. The plan must have been admitted.
 */
export function schedEntities(plan: CpuPlan): readonly SchedEntity[] {
  const placed = placedEntities(plan);
  if (plan.guestScheduler === null) return placed;
  return [{ kind: 'guest', name: 'guest', reservation: plan.guest, processor: plan.processors }, ...placed];
}

/** The same for a guest whose thread is not scheduled here. */
export function schedEntitiesBesidesGuest(plan: CpuPlan): readonly SchedEntity[] {
  return placedEntities({ ...plan, guest: null }).filter(({ kind }) => kind !== 'guest');
}

function placedEntities(plan: CpuPlan): readonly SchedEntity[] {
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

/** Who wants the processors that are shared. */
function contenders({
  guestScheduler,
  guest,
  sender,
  hogs,
}: CpuPlan): readonly Omit<SchedEntity, 'processor'>[] {
  const sharing = { kind: 'guest', name: 'guest', reservation: guest } as const;
  return [
    ...(guestScheduler === null ? [sharing] : []),
    { kind: 'sender', name: 'sender', reservation: sender },
    ...Array.from({ length: hogs }, (_, index) => {
      return { kind: 'hog', name: `hog-${index + 1}`, reservation: null } as const;
    }),
  ];
}
