import { idleLink } from '../core/link/account.ts';
import { downtimeParts, type MigrationResult } from '../core/migration/migration-result.ts';

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
