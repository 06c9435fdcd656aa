import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ServerRecord } from '../core/cpu/server-record.ts';
import { blackout } from '../core/cpu/supply.ts';
import type { MigrationRecord } from '../core/migration/record.ts';
import { convergenceOf, guaranteeLabels } from './measures.ts';
import { type Metric, metricTable } from './metric-table.ts';
import type { StateView } from './view-schemas.ts';

/** What is read when somebody scrapes. */
export interface Pulled extends Pick<StateView, 'queues' | 'links'> {
  readonly cpu: Omit<StateView['cpu'], 'holders'>;
  readonly guests: Readonly<Record<string, number>>;
  readonly watchers: number;
  readonly downtimeTargetNs: number;
}

type Made = {
  readonly [K in keyof typeof metricTable]: (typeof metricTable)[K]['kind'] extends 'counter'
    ? Counter
    : (typeof metricTable)[K]['kind'] extends 'gauge'
      ? Gauge
      : Histogram;
};

/**
 * The metrics of one daemon, in a registry of their own. Events are counted as they happen; what is a state is
 * read when somebody asks. Node's own metrics, whose names are not ours to choose, are in a second registry.
 */
export class Metrics {
  readonly #own = new Registry();
  readonly #node = new Registry();
  readonly #made: Made;
  readonly #pulled: () => Pulled;

  constructor(version: string, pull: () => Pulled) {
    this.#pulled = pull;
    this.#made = Object.fromEntries(
      Object.entries(metricTable).map(([key, metric]) => [key, this.#make(metric)]),
    ) as unknown as Made;
    collectDefaultMetrics({ register: this.#node });
    this.#made.build_info.set({ version, node: process.version }, 1);
    this.#made.start_timestamp_seconds.set(Math.round(Date.now() / 1e3 - process.uptime()));
    this.#made.configuration_last_reload_successful.set(1);
    // What has not happened yet is 0 and not absent, so that its first time is seen as an increase.
    for (const reason of refusalReasons) this.#made.admission_refusals_total.inc({ reason }, 0);
    for (const result of ['taken', 'refused']) this.#made.configuration_reloads_total.inc({ result }, 0);
    for (const kind of ['migration', 'experiment']) this.#made.queue_wait_seconds.zero({ kind });
  }

  get contentType(): string {
    return this.#own.contentType;
  }

  /** What is a state is read once, so that one answer does not contradict itself. */
  scrape(): Promise<string> {
    this.#pull(this.#pulled());
    return this.#own.metrics();
  }

  scrapeNode(): Promise<string> {
    return this.#node.metrics();
  }

  /** A migration has ended. */
  ended(record: MigrationRecord): void {
    const made = this.#made;
    const { world, plan, outcome, rounds, stop } = record;
    const how = { world, order: plan.order, stop: plan.stop.rule, scheduler: record.reservations.scheduler };
    made.migrations_total.inc({ ...how, outcome });
    made.migration_downtime_seconds.observe({ ...how, outcome }, seconds(record.downtimeNs));
    made.migration_duration_seconds.observe({ ...how, outcome }, seconds(record.totalNs));
    made.migration_rounds.observe({ world, stop: plan.stop.rule }, rounds.length);
    if (outcome === 'completed') {
      if (record.predicted)
        made.migration_predicted_downtime_seconds.observe(how, seconds(record.predicted.downtimeNs));
      made.guarantee_downtime_seconds.observe(
        { world, ...guaranteeLabels(record) },
        seconds(record.downtimeNs),
      );
      for (const [part, ns] of Object.entries(record.downtimeParts)) {
        made.migration_downtime_part_seconds.observe({ world, part: part.replace(/Ns$/, '') }, seconds(ns));
      }
    }
    const sum = (of: 'sentPages' | 'zeroPages' | 'deferredPages' | 'skippedPages' | 'bytes') =>
      rounds.reduce((total, round) => total + round[of], 0);
    countEach(made.migration_pages_total, { world }, 'kind', {
      sent: sum('sentPages'),
      zero: sum('zeroPages'),
      deferred: sum('deferredPages'),
      skipped: sum('skippedPages'),
      stop: stop.pages,
    });
    countEach(made.migration_bytes_total, { world }, 'phase', { live: sum('bytes'), stop: stop.bytes });
    this.#clientSaw(record, how);
    for (const server of record.servers) this.#served(server, world, how.scheduler);
    this.#sent(record);
    const convergence = convergenceOf(record);
    if (convergence)
      made.migration_convergence_ratio.observe({ world, stop: plan.stop.rule }, convergence.ratio);
    this.last(record);
  }

  refused(reason: RefusalReason): void {
    this.#made.admission_refusals_total.inc({ reason });
  }

  waited(kind: 'migration' | 'experiment', ns: number): void {
    this.#made.queue_wait_seconds.observe({ kind }, seconds(ns));
  }

  sentOver(link: string, bytes: number): void {
    this.#made.link_sent_bytes_total.inc({ link }, bytes);
  }

  reloaded(taken: boolean): void {
    this.#made.configuration_reloads_total.inc({ result: taken ? 'taken' : 'refused' });
    this.#made.configuration_last_reload_successful.set(taken ? 1 : 0);
  }

  #make({ kind, name, help, labels, buckets = [] }: Metric): Counter | Gauge | Histogram {
    const of = { name, help, labelNames: [...labels], registers: [this.#own] };
    if (kind === 'histogram') return new Histogram({ ...of, buckets: [...buckets] });
    return kind === 'counter' ? new Counter(of) : new Gauge(of);
  }

  #pull({ queues, links, cpu, guests, watchers, downtimeTargetNs }: Pulled): void {
    const made = this.#made;
    for (const { kind, waiting, running, oldestWaitNs } of queues) {
      made.queue_jobs.set({ kind, state: 'waiting' }, waiting);
      made.queue_jobs.set({ kind, state: 'running' }, running);
      made.queue_oldest_wait_seconds.set({ kind }, seconds(oldestWaitNs));
      if (kind === 'migration') made.migrations_running.set(running);
    }
    for (const gauge of [
      made.link_capacity_bytes_per_second,
      made.link_reserved_bytes_per_second,
      made.link_waiting_migrations,
      made.guests,
    ])
      gauge.reset();
    for (const { name, capacityBytesPerSecond, reservedBytesPerSecond, waiting } of links) {
      made.link_capacity_bytes_per_second.set({ link: name }, capacityBytesPerSecond);
      made.link_reserved_bytes_per_second.set({ link: name }, reservedBytesPerSecond);
      made.link_waiting_migrations.set({ link: name }, waiting);
    }
    made.cpu_reservable_processors.set(cpu.processors * cpu.reservablePerProcessor);
    for (const [holder, reserved] of Object.entries(cpu.reserved))
      made.cpu_reserved_processors.set({ holder }, reserved);
    for (const [state, count] of Object.entries(guests)) made.guests.set({ state }, count);
    made.event_watchers.set(watchers);
    made.downtime_target_seconds.set(seconds(downtimeTargetNs));
  }

  #clientSaw({ world, outage }: MigrationRecord, how: Record<string, string>): void {
    if (!outage) return;
    this.#made.migration_client_gap_seconds.observe(how, seconds(outage.longestGapNs));
    countEach(this.#made.guest_heartbeats_total, { world }, 'kind', {
      sent: outage.heartbeats,
      late: outage.lateHeartbeats,
      lost: outage.lostHeartbeats,
      repeated: outage.repeatedHeartbeats,
    });
  }

  #served(server: ServerRecord, world: string, scheduler: string): void {
    const made = this.#made;
    const { name, budgetNs, periodNs } = server;
    const labels = { world, server: name };
    made.reservation_budget_seconds.set(labels, seconds(budgetNs));
    made.reservation_period_seconds.set(labels, seconds(periodNs));
    made.reservation_delivered_cpu_seconds_total.inc({ ...labels, scheduler }, seconds(server.servedNs));
    made.reservation_promised_cpu_seconds_total.inc(
      { ...labels, scheduler },
      seconds(server.periods * budgetNs),
    );
    made.reservation_periods_total.inc({ ...labels, scheduler }, server.periods);
    const { missedPeriods, missedByMachine: machine } = server;
    countEach(made.reservation_missed_periods_total, { ...labels, scheduler }, 'cause', {
      scheduler: missedPeriods - machine,
      machine,
    });
    made.reservation_blackout_seconds.set(labels, seconds(server.longestBlackoutNs));
    made.reservation_blackout_bound_seconds.set(labels, seconds(blackout({ budgetNs, periodNs })));
    const error = server.shareErrorPerTenPeriods;
    if (error === null) return;
    made.reservation_share_error_ratio.set({ ...labels, statistic: 'median' }, error.median);
    made.reservation_share_error_ratio.set({ ...labels, statistic: 'p99' }, error.p99);
  }

  #sent({ world, link }: MigrationRecord): void {
    this.#made.link_reservation_violations_total.inc({ world }, (link.worstExcessBytes ?? 0) > 0 ? 1 : 0);
    if (link.worstExcessBytes !== null)
      this.#made.link_worst_excess_bytes.set({ world }, link.worstExcessBytes);
    if (link.utilisation !== null) this.#made.link_utilisation_ratio.set({ world }, link.utilisation);
  }

  /** What outlives a migration that was shorter than a scrape's interval; also one before a restart. */
  last(record: MigrationRecord): void {
    const made = this.#made;
    const { world, predicted } = record;
    // In virtual time there is no date; when it was computed is what an operator asks for.
    const endedAtMs =
      record.world === 'virtual' ? Date.now() : Date.parse(record.startedAt) + record.totalNs / 1e6;
    made.last_migration_end_timestamp_seconds.set({ world }, endedAtMs / 1e3);
    made.last_migration_downtime_seconds.set({ world }, seconds(record.downtimeNs));
    made.last_migration_duration_seconds.set({ world }, seconds(record.totalNs));
    made.last_migration_rounds.set({ world }, record.rounds.length);
    made.last_migration_completed.set({ world }, record.outcome === 'completed' ? 1 : 0);
    if (predicted)
      made.last_migration_predicted_downtime_seconds.set({ world }, seconds(predicted.downtimeNs));
    else made.last_migration_predicted_downtime_seconds.remove({ world });
    const convergence = convergenceOf(record);
    if (!convergence) return;
    made.last_migration_dirty_bytes_per_second.set({ world }, convergence.dirtyBytesPerSecond);
    made.last_migration_transfer_bytes_per_second.set({ world }, convergence.transferBytesPerSecond);
    made.last_migration_convergence_ratio.set({ world }, convergence.ratio);
  }
}

/** What a request can be refused for. */
export const refusalReasons = ['cpu', 'link', 'memory', 'queue', 'draining'] as const;
export type RefusalReason = (typeof refusalReasons)[number];

function seconds(ns: number): number {
  return ns / 1e9;
}

/** Several counts, told apart by one label. */
function countEach(
  counter: Counter,
  labels: Readonly<Record<string, string>>,
  label: string,
  counts: Readonly<Record<string, number>>,
): void {
  for (const [value, count] of Object.entries(counts)) counter.inc({ ...labels, [label]: value }, count);
}
