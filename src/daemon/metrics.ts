import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ServerRecord } from '../core/cpu/server-record.ts';
import { blackout } from '../core/cpu/supply.ts';
import { partsOf } from '../core/migration/migration-result.ts';
import type { MigrationRecord } from '../core/migration/record.ts';
import { convergenceOf, guaranteeLabels } from './measures.ts';
import { type Metric, type MetricKey, metricTable } from './metric-table.ts';

/** What is read when somebody scrapes. */
export interface Pulled {
  readonly queues: readonly {
    readonly kind: 'migration' | 'experiment';
    readonly waiting: number;
    readonly running: number;
    readonly oldestWaitNs: number;
  }[];
  readonly links: readonly {
    readonly name: string;
    readonly capacityBytesPerSecond: number | null;
    readonly reservedBytesPerSecond: number;
    readonly waiting: number;
  }[];
  readonly cpu: {
    readonly processors: number;
    readonly reservablePerProcessor: number;
    readonly reserved: Readonly<Record<string, number>>;
  };
  readonly guests: Readonly<Record<string, number>>;
  readonly watchers: number;
  readonly downtimeTargetNs: number;
}

type Made = {
  readonly [K in MetricKey]: (typeof metricTable)[K]['kind'] extends 'counter'
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
    this.#made.build.set({ version, node: process.version }, 1);
    this.#made.startTime.set(Math.round(Date.now() / 1e3 - process.uptime()));
    this.#made.reloaded.set(1);
    // What has not happened yet is 0 and not absent, so that its first time is seen as an increase.
    for (const reason of refusalReasons) this.#made.refusals.inc({ reason }, 0);
    for (const result of ['taken', 'refused']) this.#made.reloads.inc({ result }, 0);
    for (const kind of ['migration', 'experiment']) this.#made.queueWait.zero({ kind });
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
    made.migrations.inc({ ...how, outcome });
    made.downtime.observe({ ...how, outcome }, seconds(record.downtimeNs));
    made.duration.observe({ ...how, outcome }, seconds(record.totalNs));
    made.rounds.observe({ world, stop: plan.stop.rule }, rounds.length);
    if (outcome === 'completed') {
      if (record.predicted) made.predictedDowntime.observe(how, seconds(record.predicted.downtimeNs));
      made.guarantees.observe({ world, ...guaranteeLabels(record) }, seconds(record.downtimeNs));
      for (const [part, ns] of Object.entries(partsOf(record.downtimeParts))) {
        made.downtimePart.observe({ world, part: partLabel(part) }, seconds(ns));
      }
    }
    for (const [kind, of] of [
      ['sent', 'sentPages'],
      ['zero', 'zeroPages'],
      ['deferred', 'deferredPages'],
      ['skipped', 'skippedPages'],
    ] as const) {
      made.pages.inc(
        { world, kind },
        sum(rounds, (round) => round[of]),
      );
    }
    made.pages.inc({ world, kind: 'stop' }, stop.pages);
    made.bytes.inc(
      { world, phase: 'live' },
      sum(rounds, ({ bytes }) => bytes),
    );
    made.bytes.inc({ world, phase: 'stop' }, stop.bytes);
    this.#clientSaw(record, how);
    for (const server of record.servers) this.#served(server, world, how.scheduler);
    this.#sent(record);
    const convergence = convergenceOf(record);
    if (convergence) made.convergence.observe({ world, stop: plan.stop.rule }, convergence.ratio);
    this.last(record);
  }

  refused(reason: RefusalReason): void {
    this.#made.refusals.inc({ reason });
  }

  waited(kind: 'migration' | 'experiment', ns: number): void {
    this.#made.queueWait.observe({ kind }, seconds(ns));
  }

  sentOver(link: string, bytes: number): void {
    this.#made.linkSent.inc({ link }, bytes);
  }

  reloaded(taken: boolean): void {
    this.#made.reloads.inc({ result: taken ? 'taken' : 'refused' });
    this.#made.reloaded.set(taken ? 1 : 0);
  }

  #make({ kind, name, help, labels, buckets = [] }: Metric): Counter | Gauge | Histogram {
    const of = { name, help, labelNames: [...labels], registers: [this.#own] };
    if (kind === 'histogram') return new Histogram({ ...of, buckets: [...buckets] });
    return kind === 'counter' ? new Counter(of) : new Gauge(of);
  }

  #pull({ queues, links, cpu, guests, watchers, downtimeTargetNs }: Pulled): void {
    const made = this.#made;
    for (const { kind, waiting, running, oldestWaitNs } of queues) {
      made.queue.set({ kind, state: 'waiting' }, waiting);
      made.queue.set({ kind, state: 'running' }, running);
      made.queueOldest.set({ kind }, seconds(oldestWaitNs));
      if (kind === 'migration') made.running.set(running);
    }
    for (const gauge of [made.linkCapacity, made.linkReserved, made.linkWaiting, made.guests]) gauge.reset();
    for (const { name, capacityBytesPerSecond, reservedBytesPerSecond, waiting } of links) {
      if (capacityBytesPerSecond !== null) made.linkCapacity.set({ link: name }, capacityBytesPerSecond);
      made.linkReserved.set({ link: name }, reservedBytesPerSecond);
      made.linkWaiting.set({ link: name }, waiting);
    }
    made.cpuReservable.set(cpu.processors * cpu.reservablePerProcessor);
    for (const [holder, reserved] of Object.entries(cpu.reserved)) made.cpuReserved.set({ holder }, reserved);
    for (const [state, count] of Object.entries(guests)) made.guests.set({ state }, count);
    made.watchers.set(watchers);
    made.downtimeTarget.set(seconds(downtimeTargetNs));
  }

  #clientSaw({ world, outage }: MigrationRecord, how: Record<string, string>): void {
    if (!outage) return;
    this.#made.clientGap.observe(how, seconds(outage.longestGapNs));
    for (const [kind, count] of [
      ['sent', outage.heartbeats],
      ['late', outage.lateHeartbeats],
      ['lost', outage.lostHeartbeats],
      ['repeated', outage.repeatedHeartbeats],
    ] as const) {
      this.#made.heartbeats.inc({ world, kind }, count);
    }
  }

  #served(server: ServerRecord, world: string, scheduler: string): void {
    const made = this.#made;
    const { name, budgetNs, periodNs } = server;
    const labels = { world, server: name };
    made.budget.set(labels, seconds(budgetNs));
    made.period.set(labels, seconds(periodNs));
    made.delivered.inc({ ...labels, scheduler }, seconds(server.servedNs));
    made.promised.inc({ ...labels, scheduler }, seconds(server.periods * budgetNs));
    made.periods.inc({ ...labels, scheduler }, server.periods);
    const { missedPeriods, missedByMachine } = server;
    made.missedPeriods.inc({ ...labels, scheduler, cause: 'scheduler' }, missedPeriods - missedByMachine);
    made.missedPeriods.inc({ ...labels, scheduler, cause: 'machine' }, missedByMachine);
    made.blackout.set(labels, seconds(server.longestBlackoutNs));
    made.blackoutBound.set(labels, seconds(blackout({ budgetNs, periodNs })));
    const error = server.shareErrorPerTenPeriods;
    if (error === null) return;
    made.shareError.set({ ...labels, statistic: 'median' }, error.median);
    made.shareError.set({ ...labels, statistic: 'p99' }, error.p99);
  }

  #sent({ world, link }: MigrationRecord): void {
    this.#made.linkViolations.inc({ world }, (link.worstExcessBytes ?? 0) > 0 ? 1 : 0);
    if (link.worstExcessBytes !== null) this.#made.linkExcess.set({ world }, link.worstExcessBytes);
    if (link.utilisation !== null) this.#made.linkUtilisation.set({ world }, link.utilisation);
  }

  /** What outlives a migration that was shorter than a scrape's interval; also one before a restart. */
  last(record: MigrationRecord): void {
    const made = this.#made;
    const { world, predicted } = record;
    // In virtual time there is no date; when it was computed is what an operator asks for.
    const endedAtMs =
      record.world === 'virtual' ? Date.now() : Date.parse(record.startedAt) + record.totalNs / 1e6;
    made.lastEnded.set({ world }, endedAtMs / 1e3);
    made.lastDowntime.set({ world }, seconds(record.downtimeNs));
    made.lastDuration.set({ world }, seconds(record.totalNs));
    made.lastRounds.set({ world }, record.rounds.length);
    made.lastCompleted.set({ world }, record.outcome === 'completed' ? 1 : 0);
    if (predicted) made.lastPredictedDowntime.set({ world }, seconds(predicted.downtimeNs));
    else made.lastPredictedDowntime.remove({ world });
    const convergence = convergenceOf(record);
    if (!convergence) return;
    made.lastDirtyRate.set({ world }, convergence.dirtyBytesPerSecond);
    made.lastTransferRate.set({ world }, convergence.transferBytesPerSecond);
    made.lastConvergence.set({ world }, convergence.ratio);
  }
}

/** What a request can be refused for. */
export const refusalReasons = ['cpu', 'link', 'memory', 'queue', 'draining'] as const;
export type RefusalReason = (typeof refusalReasons)[number];

/** `dirtyScanNs` → `dirty-scan`. */
function partLabel(name: string): string {
  return name.replace(/Ns$/, '').replace(/[A-Z]/g, (capital) => `-${capital.toLowerCase()}`);
}

function seconds(ns: number): number {
  return ns / 1e9;
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
