import type { ServerRecord } from '../core/cpu/server-record.ts';
import { stopBound } from '../core/cpu/supply.ts';
import { linkShortfalls } from '../core/migration/achieved-rate.ts';
import type { MigrationRecord } from '../core/migration/record.ts';
import { type Bytes, NANOS_PER_SECOND } from '../core/units.ts';
import { sendingNs } from './comparisons.ts';
import type { PromisesView } from './migration-schemas.ts';

/** Of the guest's reservation and its sender's. Hogs that have one are the experiment's own affair. */
export const watchedServers = ['guest', 'sender'] as const;

/** A reservation that misses more of its periods than this, through the scheduler, is not kept. */
const MOST_MISSED = 0.05;

/** Whether a reservation was not kept: periods that the machine itself lost do not count. */
export function missesTooMany({ periods, missedPeriods, missedByMachine }: Missed): boolean {
  return missedPeriods - missedByMachine > MOST_MISSED * periods;
}

type Missed = Pick<ServerRecord, 'periods' | 'missedPeriods' | 'missedByMachine'>;

/** Of all that was promised to a migration together; `none`: nothing was. */
export const verdicts = ['kept', 'broken', 'none'] as const;

export function verdictOf({ kept }: Pick<PromisesView, 'kept'>): (typeof verdicts)[number] {
  return kept === null ? 'none' : kept ? 'kept' : 'broken';
}

/** What was promised to a migration, and what of that was kept. */
export function promisesOf(record: MigrationRecord): PromisesView {
  const downtime = downtimeOf(record);
  const cpu = record.servers
    .filter(({ name }) => watchedServers.some((server) => server === name))
    .map(({ name, periods, missedPeriods, missedByMachine }) => {
      const kept = !missesTooMany({ periods, missedPeriods, missedByMachine });
      return { server: name, periods, missedPeriods, missedByMachine, kept };
    });
  const link = linkOf(record);
  const all = [downtime, ...cpu, link].flatMap((one) => (one ? [one.kept] : []));
  return { kept: all.length === 0 ? null : all.every(Boolean), downtime, cpu, link };
}

/**
 * What the reservation of the sender promises for the pages that were left: how many those are is the guest's doing. It
 * bounds sending them; digests and messages of the hand-over come on top. A guest that was not paused has no downtime.
 */
function downtimeOf(record: MigrationRecord): PromisesView['downtime'] {
  const { stop, plan, reservations } = record;
  const { sender: reservation, cpuPerPageNs } = reservations;
  if (reservation === null || stop.pages === 0) return null;
  const { pageBytes, stopRateBytesPerSecond, device = { stateBytes: 0, timeNs: 0 } } = plan;
  const linkNs = (bytes: Bytes) =>
    stopRateBytesPerSecond === null ? 0 : (bytes * NANOS_PER_SECOND) / stopRateBytesPerSecond;
  const { pages } = stop;
  const pagesNs = stopBound({ pages, cpuPerPageNs, pageLinkNs: linkNs(pageBytes), reservation });
  const boundNs = pagesNs + linkNs(device.stateBytes) + device.timeNs;
  const measuredNs = sendingNs(record);
  return { pages, boundNs, measuredNs, marginNs: boundNs - measuredNs, kept: measuredNs <= boundNs };
}

/** Only where it was admitted to a link of the configuration was a rate promised. */
function linkOf(record: MigrationRecord): PromisesView['link'] {
  const { admission, link } = record;
  if (!admission || admission.grantedBytesPerSecond === 0) return null;
  const isExceeded = (link.worstExcessBytes ?? 0) > 0;
  const shortfalls = linkShortfalls(record);
  const isRevoked = admission.revocations.some(
    ({ rateBytesPerSecond }) => rateBytesPerSecond < admission.grantedBytesPerSecond,
  );
  const { grantedBytesPerSecond } = admission;
  return {
    grantedBytesPerSecond,
    shortfalls,
    isRevoked,
    kept: !isExceeded && !isRevoked && shortfalls.length === 0,
  };
}
