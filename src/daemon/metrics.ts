import type { ServerRecord } from '../core/cpu/server-record.ts';
import { blackout } from '../core/cpu/supply.ts';
import { besideReserved } from '../core/migration/achieved-rate.ts';
import { partsOf } from '../core/migration/migration-result.ts';
import type { MigrationRecord } from '../core/migration/record.ts';
import { wallClockMs } from '../platform/clock.ts';
import type { WatchedEnd } from '../run/watch/watch-event.ts';
import { targetMetrics } from '../scenario/target.ts';
import { daemonMetricTable } from './daemon-metric-table.ts';
import { type Incidents, incidentsOf, noIncidents } from './incidents.ts';
import { type JobKind, jobKinds } from './job.ts';
import { convergenceOf, guaranteeLabels } from './measures.ts';
import { type Labels, MetricRegistry } from './metric-registry.ts';
import type { TargetVerdict } from './target-schemas.ts';
import { marginRatioOf } from './target-verdict.ts';
import { type GuestView, guestStates, type StateView } from './view-schemas.ts';
import { type WatchedNow, WatchedSeries } from './watched-series.ts';

/** What is read when somebody scrapes. */
export interface Pulled extends Pick<StateView, 'queues' | 'links'> {
  readonly cpu: Omit<StateView['cpu'], 'holders'>;
  readonly guests: readonly Pick<GuestView, 'state'>[];
  readonly watched: readonly WatchedNow[];
  readonly watchers: number;
  readonly downtimeTargetNs: number;
  /** Why what happens cannot be written down. */
  readonly degraded: string | null;
}

/**
 * The metrics of one daemon, in a registry of their own. Events are counted as they happen; what is a state is
 * read when somebody asks.
 */
export class Metrics {
  readonly #metrics = new MetricRegistry(daemonMetricTable);
  readonly #watched = new WatchedSeries(this.#metrics);
  readonly #pulled: () => Promise<Pulled>;

  constructor(version: string, pull: () => Promise<Pulled>) {
    this.#pulled = pull;
    this.#metrics.note({ version, node: process.version }, { build_info: 1 });
    this.#metrics.note({}, { configuration_last_reload_successful: 1 });
    this.#metrics.note({}, { start_timestamp_seconds: Math.round(wallClockMs() / 1e3 - process.uptime()) });
    // What has not happened yet is 0 and not absent, so that its first time is seen as an increase.
    for (const reason of refusalReasons) this.#metrics.note({ reason }, { admission_refusals_total: 0 });
    for (const result of ['taken', 'refused'])
      this.#metrics.note({ result }, { configuration_reloads_total: 0 });
    this.#count(noIncidents());
    for (const kind of jobKinds) this.#metrics.zero('queue_wait_seconds', { kind });
    for (const metric of targetMetrics) {
      const none = { target_kept_total: 0, target_missed_total: 0, target_expected_misses_total: 0 };
      this.#metrics.note({ metric }, none);
      this.#metrics.zero('target_margin_ratio', { metric });
    }
  }

  get contentType(): string {
    return this.#metrics.contentType;
  }

  /** What is a state is read once, so that one answer does not contradict itself. */
  async scrape(): Promise<string> {
    this.#pull(await this.#pulled());
    return this.#metrics.text();
  }

  /** A migration has ended. */
  ended(record: MigrationRecord, kind: JobKind, targetDowntimeNs: number): void {
    this.#count(incidentsOf(record, kind, targetDowntimeNs));
    const { world, plan, outcome, rounds, stop, predicted } = record;
    const how = { world, order: plan.order, stop: plan.stop.rule, scheduler: record.reservations.scheduler };
    const ended = { ...how, outcome };
    const downtime = downtimeOf(record);
    const duration = durationOf(record);
    this.#metrics.note(ended, {
      migrations_total: 1,
      migration_downtime_seconds: downtime,
      migration_duration_seconds: duration,
    });
    this.#metrics.note(
      { world, stop: plan.stop.rule },
      {
        migration_rounds: duration === undefined ? undefined : rounds.length,
        migration_convergence_ratio: convergenceOf(record)?.ratio,
      },
    );
    if (outcome === 'completed') {
      this.#metrics.note(how, {
        migration_predicted_downtime_seconds: predicted && seconds(predicted.downtimeNs),
      });
      this.#metrics.note({ world, ...guaranteeLabels(record) }, { guarantee_downtime_seconds: downtime });
      for (const [part, ns] of Object.entries(partsOf(record.downtimeParts))) {
        const labels = { world, part: partLabel(part) };
        this.#metrics.note(labels, { migration_downtime_part_seconds: seconds(ns) });
      }
    }
    const sum = (of: 'sentPages' | 'zeroPages' | 'deferredPages' | 'skippedPages' | 'bytes') =>
      rounds.reduce((total, round) => total + round[of], 0);
    this.#metrics.noteEach('migration_pages_total', { world }, 'kind', {
      sent: sum('sentPages'),
      zero: sum('zeroPages'),
      deferred: sum('deferredPages'),
      skipped: sum('skippedPages'),
      stop: stop.pages,
    });
    this.#metrics.noteEach('migration_bytes_total', { world }, 'phase', {
      live: sum('bytes'),
      stop: stop.bytes,
    });
    this.#clientSaw(record, how);
    for (const server of record.servers) this.#served(server, world, how.scheduler);
    this.#sent(record);
    this.last(record, wallClockMs());
  }

  /** A migration was held against its target. */
  held({ clauses }: TargetVerdict): void {
    for (const { metric, limitNs, probability, marginNs, kept } of clauses) {
      const values = {
        target_kept_total: kept ? 1 : 0,
        target_missed_total: kept ? 0 : 1,
        target_expected_misses_total: 1 - probability,
        target_margin_ratio: marginRatioOf({ limitNs, marginNs }),
      };
      this.#metrics.note({ metric }, values);
    }
  }

  refused(reason: RefusalReason): void {
    this.#metrics.note({ reason }, { admission_refusals_total: 1 });
  }

  /** A call that changes something came without the key, or with a wrong one. */
  unauthenticated(): void {
    this.#metrics.note({}, { authentication_failures_total: 1 });
  }

  waited(kind: JobKind, ns: number): void {
    this.#metrics.note({ kind }, { queue_wait_seconds: seconds(ns) });
  }

  /** A migration that somebody else carried out. */
  watchedEnded(machine: string, end: WatchedEnd): void {
    this.#watched.ended(machine, end);
  }

  sentOver(link: string, bytes: number): void {
    this.#metrics.note({ link }, { link_sent_bytes_total: bytes });
  }

  reloaded(taken: boolean): void {
    this.#metrics.note({ result: taken ? 'taken' : 'refused' }, { configuration_reloads_total: 1 });
    this.#metrics.note({}, { configuration_last_reload_successful: taken ? 1 : 0 });
  }

  #count(incidents: Incidents): void {
    for (const [metric, counts] of Object.entries(incidents))
      for (const [labels, count] of counts) this.#metrics.note(labels, { [metric]: count });
  }

  #pull({ queues, links, cpu, guests, watched, watchers, downtimeTargetNs, degraded }: Pulled): void {
    this.#watched.now(watched);
    for (const { kind, waiting, running, oldestWaitNs } of queues) {
      this.#metrics.noteEach('queue_jobs', { kind }, 'state', { waiting, running });
      this.#metrics.note({ kind }, { queue_oldest_wait_seconds: seconds(oldestWaitNs) });
      if (kind === 'migration') this.#metrics.note({}, { migrations_running: running });
    }
    this.#metrics.forget(...mayGo);
    for (const { name: link, capacityBytesPerSecond, reservedBytesPerSecond, waiting } of links) {
      const labels = { link };
      this.#metrics.note(labels, {
        link_capacity_bytes_per_second: capacityBytesPerSecond,
        link_reserved_bytes_per_second: reservedBytesPerSecond,
        link_waiting_migrations: waiting,
      });
    }
    this.#metrics.noteEach('cpu_reserved_processors', {}, 'holder', cpu.reserved);
    const count = (state: string) => guests.filter((guest) => guest.state === state).length;
    const counts = Object.fromEntries(guestStates.map((state) => [state, count(state)]));
    this.#metrics.noteEach('guests', {}, 'state', counts);
    this.#metrics.note(
      {},
      {
        cpu_reservable_processors: cpu.processors * cpu.reservablePerProcessor,
        event_watchers: watchers,
        event_log_writable: degraded === null ? 1 : 0,
        downtime_target_seconds: seconds(downtimeTargetNs),
      },
    );
  }

  #clientSaw({ world, outage }: MigrationRecord, how: Labels): void {
    if (!outage) return;
    this.#metrics.note(how, { migration_client_gap_seconds: seconds(outage.longestGapNs) });
    this.#metrics.noteEach('guest_heartbeats_total', { world }, 'kind', {
      sent: outage.heartbeats,
      late: outage.lateHeartbeats,
      lost: outage.lostHeartbeats,
      repeated: outage.repeatedHeartbeats,
    });
  }

  #served(server: ServerRecord, world: string, scheduler: string): void {
    const { name, budgetNs, periodNs, periods, missedPeriods, missedByMachine: machine } = server;
    const labels = { world, server: name };
    const scheduled = { ...labels, scheduler };
    this.#metrics.note(labels, {
      reservation_budget_seconds: seconds(budgetNs),
      reservation_period_seconds: seconds(periodNs),
      reservation_blackout_seconds: seconds(server.longestBlackoutNs),
      reservation_blackout_bound_seconds: seconds(blackout({ budgetNs, periodNs })),
    });
    this.#metrics.note(scheduled, {
      reservation_delivered_cpu_seconds_total: seconds(server.servedNs),
      reservation_promised_cpu_seconds_total: seconds(periods * budgetNs),
      reservation_periods_total: periods,
    });
    const missed = { scheduler: missedPeriods - machine, machine };
    this.#metrics.noteEach('reservation_missed_periods_total', scheduled, 'cause', missed);
    for (const statistic of ['median', 'p99'] as const) {
      const error = server.shareErrorPerTenPeriods?.[statistic];
      this.#metrics.noteLatest({ ...labels, statistic }, { reservation_share_error_ratio: error });
    }
  }

  #sent({ world, link, achieved, plan }: MigrationRecord): void {
    const labels = { world };
    for (const { phase, achievedBytesPerSecond: rate, reservedBytesPerSecond } of besideReserved(
      plan,
      achieved,
    )) {
      const ratio = rate && reservedBytesPerSecond && rate / reservedBytesPerSecond;
      this.#metrics.noteLatest({ world, phase }, { link_achieved_ratio: ratio });
    }
    this.#metrics.noteLatest(labels, {
      link_worst_excess_bytes: link.worstExcessBytes,
      link_utilisation_ratio: link.utilisation,
    });
  }

  /**
   * What outlives a migration that was shorter than a scrape's interval; also one before a restart.
   * @param endedAtMs where that is not known, the end of its total time, if it had begun at once
   */
  last(record: MigrationRecord, endedAtMs = Date.parse(record.startedAt) + record.totalNs / 1e6): void {
    const { world, predicted } = record;
    const labels = { world };
    const convergence = convergenceOf(record);
    this.#metrics.noteLatest(labels, {
      last_migration_end_timestamp_seconds: endedAtMs / 1e3,
      last_migration_downtime_seconds: downtimeOf(record),
      last_migration_predicted_downtime_seconds: predicted && seconds(predicted.downtimeNs),
      last_migration_duration_seconds: durationOf(record),
      last_migration_rounds: record.rounds.length,
      last_migration_completed: record.outcome === 'completed' ? 1 : 0,
      last_migration_dirty_bytes_per_second: convergence?.dirtyBytesPerSecond,
      last_migration_transfer_bytes_per_second: convergence?.transferBytesPerSecond,
      last_migration_convergence_ratio: convergence?.ratio,
    });
  }
}

/** What is of links and guests that may be there no more when it is asked for again. */
const mayGo = [
  'link_capacity_bytes_per_second',
  'link_reserved_bytes_per_second',
  'link_waiting_migrations',
  'guests',
] as const;

/** What a request can be refused for. */
export const refusalReasons = ['cpu', 'link', 'target', 'memory', 'queue', 'draining', 'disk'] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** `dirtyScanNs` → `dirty-scan`. */
function partLabel(name: string): string {
  return name.replace(/Ns$/, '').replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
}

/** undefined: the guest was not paused, or for how long is not known. */
function downtimeOf({ downtimeNs, owner }: MigrationRecord): number | undefined {
  return downtimeNs > 0 && owner !== 'nobody' ? seconds(downtimeNs) : undefined;
}

/** undefined: it did not come to a first round. */
function durationOf({ totalNs }: MigrationRecord): number | undefined {
  return totalNs > 0 ? seconds(totalNs) : undefined;
}

function seconds(ns: number): number {
  return ns / 1e9;
}
