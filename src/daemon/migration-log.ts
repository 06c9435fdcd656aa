import type { MigrationRecord } from '../core/migration/record.ts';
import { formatDuration } from '../core/units.ts';
import type { Arrival, ArrivalEnd } from '../transport/arrival.ts';

/** A migration of which the log speaks. */
interface Logged {
  readonly migration: string;
  readonly guest: string;
  /** The other end: a peer of the configuration, or its address. */
  readonly peer: string;
}

/** A line of the log, and what of it a program may read. */
export type Entry = readonly [line: string, about: object];

/** At the source. */
export function migrationBegun(logged: Logged): Entry {
  return [`guest '${logged.guest}' is leaving for ${logged.peer}`, { event: 'migration begun', ...logged }];
}

/** At the source: how it ended, and for whom. */
export function migrationEnded(
  logged: Logged,
  { outcome, owner, downtimeNs, totalNs, reason }: MigrationRecord,
): Entry {
  const how = `${outcome}; owner: ${owner}; downtime: ${formatDuration(downtimeNs)}; ${reason}`;
  const about = { event: 'migration ended', ...logged, outcome, owner, downtimeNs, totalNs, reason };
  return [`migration of guest '${logged.guest}' to ${logged.peer}: ${how}`, about];
}

/** At the source: one that never began. */
export function migrationDropped(logged: Logged, outcome: 'cancelled' | 'failed', reason: string): Entry {
  const about = { event: 'migration ended', ...logged, outcome, owner: 'source', downtimeNs: 0, reason };
  return [`migration of guest '${logged.guest}' to ${logged.peer}: ${outcome}; ${reason}`, about];
}

/** At the destination. */
export function arrivalBegun(arrival: Arrival): Entry {
  return [
    `guest '${arrival.guest}' is arriving from ${arrival.peer}`,
    { event: 'arrival begun', ...arrival },
  ];
}

/** At the destination: beside the line that says how the connection ended. */
export function arrivalEnded(arrival: ArrivalEnd): object {
  return { event: 'arrival ended', ...arrival };
}
