import type { KeptReservation } from '../../core/cpu/cpu-plan.ts';
import type { Reservation } from '../../core/cpu/reservation.ts';
import type { PredictedMachine } from '../../core/machine-costs.ts';
import type { BytesPerSecond } from '../../core/units.ts';
import type { RequestedMigrationDocument } from '../../scenario/migration-request.ts';
import type { Target } from '../../scenario/target.ts';
import type { GuestDefinition } from '../../workload/guest-definition.ts';
import { defaultCost } from './cost.ts';
import { axesOf, mostForSender, type PlanProblem, timeoutOf } from './plan-problem.ts';
import { cellOf, type PlanSubject } from './plan-subject.ts';

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

/**
 * How a guest is to migrate, as a problem for `plan`. Whoever asks for a target wants reservations that are kept: without a
 * scheduler in the request, it is `cbs-hard` where the sender is reserved CPU time.
 * @throws UsageError all that is wrong with the request; and whatever `room` throws
 */
export function guestProblem({ definition, request, room, ...given }: PlannedGuest): PlanProblem {
  const { scheduler = 'cbs-hard' } = request.cpu;
  const keep = new Set(['guest.reservation']);
  const reserving: PlanSubject = {
    kind: 'guest',
    definition,
    request: { ...request, cpu: { ...request.cpu, scheduler } },
  };
  const most = mostForSender(cellOf(reserving, []), keep);
  const senderMost = most && room({ ...most, scheduler });
  const subject: PlanSubject = senderMost ? reserving : { kind: 'guest', definition, request };
  const problem = { ...given, subject, cell: cellOf(subject, []), keep, cost: defaultCost };
  return {
    ...problem,
    senderMost,
    policies: axesOf(problem),
    fixed: timeoutOf(problem),
    stopTimeoutNs: request.migration.stopTimeout ?? null,
  };
}
