import type { Device } from '../core/migration/device.ts';
import type { Plan } from '../core/migration/plan.ts';
import { endsByItself } from '../core/migration/stop/stops.ts';
import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import type { Insist } from './checked.ts';
import type { PolicyDocument } from './migration-schema.ts';

/** How long a migration, and its stop, may take: what is written, or what follows from the size of the guest. */

const STOP_COPIES = 10;
const SHORTEST_STOP_TIMEOUT_NS = 30 * NANOS_PER_SECOND;

/**
 * A guest that is stopped for ten times what all its memory and its devices take at b_d is stopped because something is
 * wrong.
 */
export function defaultStopTimeout(
  guestBytes: Bytes,
  { stateBytes, timeNs }: Device = { stateBytes: 0, timeNs: 0 },
  bytesPerSecond: BytesPerSecond | null,
): Nanos {
  const bytes = guestBytes + stateBytes;
  const copyNs = bytesPerSecond === null ? 0 : Math.ceil((bytes * NANOS_PER_SECOND) / bytesPerSecond);
  return Math.max(SHORTEST_STOP_TIMEOUT_NS, STOP_COPIES * (copyNs + timeNs));
}

type TimeLimit = Pick<Plan, 'timeoutNs' | 'timeoutFrom'>;

/**
 * When the live rounds are over at the latest, and what says so. Nothing written: as `defaultTimeout`.
 * @param memoryBytes of the guest, without what a page costs besides
 */
export function resolveTimeout(
  { stop, timeout, timeoutPerGiB }: Pick<PolicyDocument, 'stop' | 'timeout' | 'timeoutPerGiB'>,
  memoryBytes: Bytes,
  copyBytes: Bytes,
  bytesPerSecond: BytesPerSecond | null,
  insist: Insist,
): TimeLimit {
  const isOne = timeout === undefined || timeoutPerGiB === undefined;
  insist(isOne, 'migration.timeoutPerGiB', 'nothing beside migration.timeout', timeoutPerGiB);
  if (timeoutPerGiB !== undefined) {
    const timeoutNs = Math.ceil((timeoutPerGiB * memoryBytes) / 2 ** 30);
    return { timeoutNs, timeoutFrom: 'migration.timeoutPerGiB' };
  }
  if (timeout === undefined) return defaultTimeout(stop, copyBytes, bytesPerSecond);
  return timeout === null ? { timeoutNs: null } : { timeoutNs: timeout, timeoutFrom: 'migration.timeout' };
}

const TIMEOUT_COPIES = 30;
const UNPACED_TIMEOUT_NS = 600 * NANOS_PER_SECOND;

/** A rule with an end of its own needs no other; any other rule may have as long as 30 copies of the whole memory take. */
function defaultTimeout(
  stop: PolicyDocument['stop'],
  copyBytes: Bytes,
  bytesPerSecond: BytesPerSecond | null,
): TimeLimit {
  if (endsByItself(stop)) return { timeoutNs: null };
  if (bytesPerSecond === null) {
    return { timeoutNs: UNPACED_TIMEOUT_NS, timeoutFrom: 'the default of 10 minutes' };
  }
  return {
    timeoutNs: Math.ceil((TIMEOUT_COPIES * copyBytes * NANOS_PER_SECOND) / bytesPerSecond),
    timeoutFrom: `the default of ${TIMEOUT_COPIES} copies of the memory`,
  };
}
