import { wallClockMs } from '../platform/clock.ts';
import type { Progress } from '../run/watch/followed-migration.ts';
import type { WatchedEnd } from '../run/watch/watch-event.ts';
import type { MetricRegistry } from './metric-registry.ts';
import { watchMetricTable } from './watch-metric-table.ts';

type WatchMetric = keyof typeof watchMetricTable;

/** What is read of a watched QEMU when somebody scrapes. */
export interface WatchedNow {
  /** What it is called: a name, or its monitor's socket. */
  readonly monitor: string;
  /** QEMU's word for its latest migration; null: it cannot be asked. */
  readonly status: string | null;
  /** null: no migration goes on. */
  readonly progress: Omit<Progress, 'status'> | null;
}

const world = 'qemu-native';
const outcomes = ['completed', 'failed', 'cancelled', 'unknown'] as const;

/** Of a migration that goes on, or of its monitor: read anew at each scrape. */
const mayGo = (Object.keys(watchMetricTable) as WatchMetric[]).filter((key) => key.startsWith('watched_'));

/** What Prometheus is told of watched QEMUs, in a registry that may have more. */
export class WatchedSeries {
  readonly #metrics: MetricRegistry<WatchMetric>;
  readonly #known = new Set<string>();
  #hasBegun = false;

  constructor(metrics: MetricRegistry<WatchMetric>) {
    this.#metrics = metrics;
  }

  /** A migration has ended. */
  ended(monitor: string, { outcome, totalNs, downtimeNs }: WatchedEnd): void {
    this.#begin(monitor);
    const [duration, downtime] = [seconds(totalNs), seconds(downtimeNs)];
    this.#metrics.note({ world, monitor, outcome }, { migrations_total: 1 });
    this.#metrics.note(
      { world, outcome },
      { migration_downtime_seconds: downtime, migration_duration_seconds: duration },
    );
    this.#metrics.noteLatest(
      { world, monitor },
      {
        last_migration_end_timestamp_seconds: wallClockMs() / 1e3,
        last_migration_downtime_seconds: downtime,
        last_migration_duration_seconds: duration,
        last_migration_completed: outcome === 'completed' ? 1 : 0,
      },
    );
  }

  /** These are watched now, and no others. */
  now(watched: readonly WatchedNow[]): void {
    this.#metrics.forget(...mayGo);
    for (const monitor of this.#known)
      if (!watched.some((one) => one.monitor === monitor)) this.#end(monitor);
    for (const one of watched) {
      this.#begin(one.monitor);
      this.#note(one);
    }
  }

  /** What has not happened yet is 0 and not absent, so that its first time is seen as an increase. */
  #begin(monitor: string): void {
    if (!this.#hasBegun)
      for (const histogram of ['migration_downtime_seconds', 'migration_duration_seconds'] as const)
        this.#metrics.zero(histogram, { world, outcome: 'completed' });
    this.#hasBegun = true;
    if (this.#known.has(monitor)) return;
    this.#known.add(monitor);
    for (const outcome of outcomes) this.#metrics.note({ world, monitor, outcome }, { migrations_total: 0 });
  }

  /** It is not watched any more: its latest migration is not told of for ever. */
  #end(monitor: string): void {
    this.#known.delete(monitor);
    this.#metrics.noteLatest(
      { world, monitor },
      {
        last_migration_end_timestamp_seconds: null,
        last_migration_downtime_seconds: null,
        last_migration_duration_seconds: null,
        last_migration_completed: null,
      },
    );
  }

  #note({ monitor, status, progress }: WatchedNow): void {
    const labels = { world, monitor };
    this.#metrics.note(labels, { watched_up: status === null ? 0 : 1 });
    if (status !== null) this.#metrics.note({ ...labels, status }, { watched_status: 1 });
    if (!progress) return;
    const { atNs, throttlePercent, predicted } = progress;
    this.#metrics.note(labels, {
      watched_elapsed_seconds: seconds(atNs),
      watched_left_bytes: progress.leftBytes,
      watched_sent_bytes: progress.sentBytes,
      watched_transfer_bytes_per_second: progress.rateBytesPerSecond,
      watched_dirty_bytes_per_second: progress.dirtyBytesPerSecond,
      watched_dirty_syncs: progress.syncs,
      watched_throttle_ratio: throttlePercent === null ? 0 : throttlePercent / 100,
      watched_expected_downtime_seconds: seconds(progress.expectedDowntimeNs),
      watched_ends_by_itself_ratio: predicted?.endsByItself,
    });
    for (const statistic of ['p5', 'p50', 'p95'] as const) {
      const total = predicted?.totalNs?.[statistic];
      this.#metrics.note(
        { ...labels, statistic },
        {
          watched_predicted_left_seconds: seconds(total === undefined ? null : total - atNs),
          watched_predicted_downtime_seconds: seconds(predicted?.downtimeNs?.[statistic] ?? null),
        },
      );
    }
  }
}

function seconds(ns: number | null): number | null {
  return ns === null ? null : ns / 1e9;
}
