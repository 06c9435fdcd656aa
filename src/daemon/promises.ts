import { stopBound } from '../core/cpu/supply.ts';
import { linkShortfalls } from '../core/migration/achieved-rate.ts';
import type { MigrationRecord } from '../core/migration/record.ts';
import { type Bytes, NANOS_PER_SECOND } from '../core/units.ts';
import { sendingNs } from './comparisons.ts';
import { missesTooMany, watchedServers } from './incidents.ts';
import type { PromisesView } from './migration-schemas.ts';

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
