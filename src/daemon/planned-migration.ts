import type { CpuPlan, KeptReservation } from '../core/cpu/cpu-plan.ts';
import { NANOS_PER_MILLISECOND } from '../core/units.ts';
import { linkRequest } from '../run/lease-client.ts';
import type {
  RequestedMigration,
  RequestedMigrationDocument,
  SharedLink,
} from '../scenario/migration-request.ts';
import type { DestinationThere } from '../transport/address.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { Job } from './job.ts';
import type { PlannedTarget } from './target-schemas.ts';

export interface MigrationRequest {
  readonly guest: string;
  /** As it was asked for, and what that means once its turn has come. */
  readonly to: { readonly name: string; readonly there: () => DestinationThere };
  readonly link: SharedLink | undefined;
  readonly migration: RequestedMigrationDocument;
  /** For what it was planned; null: it was asked for with reservations of its own. */
  readonly target: PlannedTarget | null;
  readonly priority: number;
  readonly queueTimeoutMs: number | undefined;
}

/**
 * A migration as it will be carried out.
 * @param requested how its guest migrates
 * @param guest what is reserved for the guest already, and what is to be for as long as it migrates
 */
export function plannedMigration(
  { priority, queueTimeoutMs }: Pick<MigrationRequest, 'priority' | 'queueTimeoutMs'>,
  requested: RequestedMigration,
  guest: { readonly has: readonly KeptReservation[]; readonly takes: readonly KeptReservation[] },
) {
  const queueTimeoutNs = queueTimeoutMs === undefined ? null : queueTimeoutMs * NANOS_PER_MILLISECOND;
  const share = requested.share && { ...requested.share, priority, queueTimeoutNs };
  return {
    ...requested,
    share,
    /** What it asks of this host. */
    job: (id: string): Pick<Job, 'id' | 'kind' | 'cpu' | 'link'> => ({
      id,
      kind: 'migration',
      cpu: { takes: [...kept(requested.cpu), ...guest.takes], beside: guest.has },
      link: share ? { name: share.link, request: linkRequest(id, requested.plan, share) } : undefined,
    }),
  };
}

export type PlannedMigration = ReturnType<typeof plannedMigration>;

/** As worlds are given it: of the guest's reservation, who keeps it is the host's affair. */
export function specOf(
  { plan, cpu }: Pick<PlannedMigration, 'plan' | 'cpu'>,
  { guest, reservation }: GuestDefinition,
): MigrationSpec {
  const bare = reservation && { budgetNs: reservation.budgetNs, periodNs: reservation.periodNs };
  return { guest, plan, cpu: { ...cpu, guest: bare } };
}

/** What a sender has reserved, and who keeps it. */
function kept({ sender, scheduler }: Pick<CpuPlan, 'sender' | 'scheduler'>): readonly KeptReservation[] {
  return sender === null ? [] : [{ ...sender, scheduler }];
}
