import type { KeptReservation } from '../../core/cpu/cpu-plan.ts';
import type { Reservation } from '../../core/cpu/reservation.ts';
import type { PredictedMachine } from '../../core/machine-costs.ts';
import type { BytesPerSecond } from '../../core/units.ts';
import { PAGE_RECORD_BYTES } from '../../qemu/stream-layout.ts';
import { machineStops } from '../../scenario/machine-plan.ts';
import type { RequestedMigrationDocument } from '../../scenario/migration-request.ts';
import type { Target } from '../../scenario/target.ts';
import type { GuestDefinition } from '../../workload/guest-definition.ts';
import { defaultCost } from './cost.ts';
import { axesOf, mostForSender, type PlanProblem, type Policies, timeoutOf } from './plan-problem.ts';
import { cellOf, type PlanSubject } from './plan-subject.ts';

type GuestSubject = Extract<PlanSubject, { readonly kind: 'guest' }>;

/** A guest that lives on a host, and what host and link have left for its migration. */
export interface PlannedGuest {
  readonly definition: GuestDefinition;
  /** What is asked for beside the target. Its rates are those that the link has left. */
  readonly request: RequestedMigrationDocument;
  readonly target: Target;
  readonly machine: PredictedMachine | undefined;
  readonly capacity: BytesPerSecond;
  /** What has so much left. */
  readonly capacityFrom: string;
  /** As much of the most that a sender can use as the host still has. */
  readonly room: (most: KeptReservation) => Reservation;
}

/** The host keeps the guest's own, whatever its migration is given. */
const keep: ReadonlySet<string> = new Set(['guest.reservation']);

/**
 * How a guest is to migrate, as a problem for `plan`. Whoever asks for a target wants reservations that are kept: without a
 * scheduler in the request, it is `cbs-hard` where the sender is reserved CPU time.
 * @throws UsageError all that is wrong with the request; and whatever `room` throws
 */
export function guestProblem({ definition, request, room, ...given }: PlannedGuest): PlanProblem {
  const { scheduler = 'cbs-hard' } = request.cpu;
  const reserving: GuestSubject = {
    kind: 'guest',
    definition,
    request: { ...request, cpu: { ...request.cpu, scheduler } },
  };
  const most = mostForSender(cellOf(reserving, []), keep);
  const senderMost = most && room({ ...most, scheduler });
  const subject: GuestSubject = senderMost ? reserving : { kind: 'guest', definition, request };
  return problemOf(subject, senderMost, given);
}

/** A machine of somebody else that was rehearsed, and what its link has left. */
export type PlannedMachine = Omit<PlannedGuest, 'room' | 'machine'>;

/**
 * The same of a machine of somebody else, which is moved by QEMU: its pages are as long as in QEMU's stream, its dirty log is asked
 * once a round, and there is nothing to reserve of a processor, nor a profile of what QEMU takes on this machine.
 * @throws UsageError all that is wrong with the request
 */
export function machineProblem({
  definition,
  request,
  target,
  capacity,
  capacityFrom,
}: PlannedMachine): PlanProblem {
  const { migration } = request;
  const subject: GuestSubject = {
    kind: 'guest',
    definition,
    request: { ...request, migration: { ...migration, clear: 'round' } },
    overhead: PAGE_RECORD_BYTES,
  };
  const axis = (path: string, values: readonly unknown[]) => values.map((value) => ({ path, value }));
  const axes = [
    axis('migration.stop', migration.stop.rule === 'rounds' ? machineStops : []),
    axis('migration.order', [...new Set([migration.order, 'threshold'])]),
  ];
  const policies: Policies = { kind: 'axes', axes: axes.filter((values) => values.length > 1) };
  return { ...problemOf(subject, null, { target, capacity, capacityFrom, machine: undefined }), policies };
}

function problemOf(
  subject: GuestSubject,
  senderMost: Reservation | null,
  given: Omit<PlannedGuest, 'definition' | 'request' | 'room'>,
): PlanProblem {
  const problem = { ...given, subject, cell: cellOf(subject, []), keep, cost: defaultCost };
  return {
    ...problem,
    senderMost,
    policies: axesOf(problem),
    fixed: timeoutOf(problem),
    stopTimeoutNs: subject.request.migration.stopTimeout ?? null,
  };
}
