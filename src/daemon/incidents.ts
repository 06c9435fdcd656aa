import { linkShortfalls } from '../core/migration/achieved-rate.ts';
import { outcomes } from '../core/migration/migration-result.ts';
import type { MigrationRecord } from '../core/migration/record.ts';
import { worldNames } from '../worlds/world-names.ts';
import { type JobKind, jobKinds } from './job.ts';
import { missesTooMany, promisesOf, verdictOf, verdicts, watchedServers } from './promises.ts';

type Counts = readonly (readonly [labels: Readonly<Record<string, string>>, count: number])[];

/** What alerts ask for: counters with few labels, so that each can be there, at 0, before it counts for the first time. */
export type Incidents = Readonly<
  Record<
    | 'migration_outcomes_total'
    | 'downtime_target_misses_total'
    | 'promises_total'
    | 'reservation_misses_total'
    | 'link_reservation_violations_total'
    | 'link_shortfalls_total',
    Counts
  >
>;

/** Every label set that there can be, with the count 0. Guests that live here are moved in real time, by threads. */
export function noIncidents(): Incidents {
  const jobs = jobKinds.flatMap((kind) =>
    worldNames
      .filter((world) => kind === 'experiment' || world === 'threads')
      .map((world) => ({ kind, world })),
  );
  const each = (label: string, values: readonly string[]) =>
    jobs.flatMap((job) => values.map((value) => [{ ...job, [label]: value }, 0] as const));
  return {
    migration_outcomes_total: each('outcome', outcomes),
    downtime_target_misses_total: jobs.map((job) => [job, 0]),
    promises_total: verdicts.map((verdict) => [{ verdict }, 0]),
    reservation_misses_total: each('server', watchedServers),
    link_reservation_violations_total: jobs.map((job) => [job, 0]),
    link_shortfalls_total: jobs.map((job) => [job, 0]),
  };
}

/**
 * What a migration that has ended adds to them.
 * @param kind whose it was: a guest's that lives here, or an experiment's
 */
export function incidentsOf(record: MigrationRecord, kind: JobKind, targetDowntimeNs: number): Incidents {
  const { world, outcome, downtimeNs, servers, link } = record;
  const job = { kind, world };
  const one = (happened: boolean) => [[job, happened ? 1 : 0]] as const;
  const watched = servers.filter(({ name }) => watchedServers.some((server) => server === name));
  return {
    migration_outcomes_total: [[{ ...job, outcome }, 1]],
    downtime_target_misses_total: one(downtimeNs > targetDowntimeNs),
    // Of experiments there may be thousands a second, and their hogs and faults are their own affair.
    promises_total: kind === 'migration' ? [[{ verdict: verdictOf(promisesOf(record)) }, 1]] : [],
    reservation_misses_total: watched.map((server) => [
      { ...job, server: server.name },
      missesTooMany(server) ? 1 : 0,
    ]),
    link_reservation_violations_total: one((link.worstExcessBytes ?? 0) > 0),
    link_shortfalls_total: one(linkShortfalls(record).length > 0),
  };
}
