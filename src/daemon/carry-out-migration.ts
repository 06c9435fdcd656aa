import { idleLink } from '../core/link/account.ts';
import { downtimeParts, type MigrationResult } from '../core/migration/migration-result.ts';
import type { RunMetadata } from '../core/migration/record.ts';
import { drive } from '../run/drive.ts';
import type { LedgerStore } from '../run/lease-client.ts';
import { SharedLinkWorld } from '../run/shared-link.ts';
import type { RequestedMigration } from '../scenario/migration-request.ts';
import type { DestinationThere } from '../transport/address.ts';
import type { Host } from '../worlds/threads/host.ts';
import type { Events } from './events.ts';
import { startLiveSampler } from './live-sampler.ts';
import type { Progress } from './migration-schemas.ts';
import { ProgressOfSteps } from './progress.ts';

/** A migration whose turn has come. */
interface AdmittedMigration extends RequestedMigration {
  readonly id: string;
  readonly guest: string;
  readonly to: DestinationThere;
  /** Where it has its lease, under its id, if it goes over a link of the configuration. */
  readonly store: LedgerStore | undefined;
}

interface Surroundings {
  readonly host: Host;
  readonly events: Events;
  /** Its guest is leaving from now on, also while the destination is still being asked. */
  leaves(): void;
  progressed(progress: Progress): void;
}

/**
 * One migration from its beginning to its end.
 * @throws Failure it could not be set up, or was cancelled meanwhile; nothing has been left behind
 */
export async function carryOutMigration(
  { id, guest, to, plan, cpu, share, store }: AdmittedMigration,
  { host, events, leaves, progressed }: Surroundings,
): Promise<{ readonly course: MigrationResult; readonly admission: RunMetadata['admission'] }> {
  const beginning = host.migrate(guest, { plan, cpu }, to, id);
  leaves();
  const world = await beginning;
  const shared = store && share ? new SharedLinkWorld(world, { plan }, share, store, id) : undefined;
  const progress = new ProgressOfSteps();
  const endSampler = startLiveSampler(id, world, events);
  try {
    const course = await drive(plan, shared ?? world, (step, seen) => {
      if (progress.see(step, seen)) progressed(progress.shown);
    });
    return { course, admission: shared?.admission ?? null };
  } finally {
    endSampler();
    await shared?.leave();
    await world.close();
  }
}

/** A migration of which nothing more is known than why it ended. */
export function cutShort(
  reason: string,
  owner: MigrationResult['owner'],
  outcome: MigrationResult['outcome'] = 'failed',
): MigrationResult {
  return {
    outcome,
    reason,
    owner,
    rounds: [],
    stop: { pages: 0, bytes: 0, durationNs: 0 },
    downtimeNs: 0,
    downtimeParts: downtimeParts(),
    totalNs: 0,
    outage: null,
    verified: { memory: 'not-checked', continued: 'not-checked' },
    servers: [],
    link: idleLink(0),
    notes: ['nothing of it was measured: its figures are 0 because a record has no others'],
  };
}
