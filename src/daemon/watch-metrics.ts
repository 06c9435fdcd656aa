import { wallClockMs } from '../platform/clock.ts';
import { version } from '../platform/package.ts';
import type { WatchEvent, WatchedEnd } from '../run/watch/watch-event.ts';
import type { WatchedMonitor } from '../run/watch/watched-monitor.ts';
import { MetricRegistry } from './metric-registry.ts';
import { watchMetricTable } from './watch-metric-table.ts';

/** What is read of a monitor when somebody scrapes. */
export type WatchedNow = Pick<WatchedMonitor, 'socket' | 'status' | 'progress'>;

const world = 'qemu-native';
const outcomes = ['completed', 'failed', 'cancelled', 'unknown'] as const;

/** Of a migration that goes on, or of its monitor: read anew at each scrape. */
const mayGo = (Object.keys(watchMetricTable) as (keyof typeof watchMetricTable)[]).filter((key) =>
  key.startsWith('watched_'),
);

/** What Prometheus is told of the QEMUs that are watched. */
export class WatchMetrics {
  readonly #metrics = new MetricRegistry(watchMetricTable);
  readonly #monitors: readonly WatchedNow[];

  constructor(monitors: readonly WatchedNow[]) {
    this.#monitors = monitors;
    this.#metrics.note({ version, node: process.version }, { build_info: 1 });
    this.#metrics.note({}, { start_timestamp_seconds: Math.round(wallClockMs() / 1e3) });
    // What has not happened yet is 0 and not absent, so that its first time is seen as an increase.
    for (const { socket: monitor } of monitors)
      for (const outcome of outcomes)
        this.#metrics.note({ world, monitor, outcome }, { migrations_total: 0 });
    for (const histogram of ['migration_downtime_seconds', 'migration_duration_seconds'] as const)
      this.#metrics.zero(histogram, { world, outcome: 'completed' });
  }

  get contentType(): string {
    return this.#metrics.contentType;
  }

  /** Takes what is counted. */
  happened(event: WatchEvent): void {
    if (event.event === 'ended') this.#ended(event.monitor, event);
  }

  scrape(): Promise<string> {
    this.#metrics.forget(...mayGo);
    const running = this.#monitors.filter(({ progress }) => progress !== null).length;
    this.#metrics.note({}, { migrations_running: running });
    for (const monitor of this.#monitors) this.#now(monitor);
    return this.#metrics.text();
  }

  #ended(monitor: string, { outcome, totalNs, downtimeNs }: WatchedEnd): void {
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

  #now({ socket: monitor, status, progress }: WatchedNow): void {
    const labels = { world, monitor };
    this.#metrics.note(labels, { watched_up: status === null ? 0 : 1 });
    if (status !== null) this.#metrics.note({ ...labels, status }, { watched_status: 1 });
    if (!progress) return;
    const { atNs, throttlePercent, foreseen } = progress;
    this.#metrics.note(labels, {
      watched_elapsed_seconds: seconds(atNs),
      watched_left_bytes: progress.leftBytes,
      watched_sent_bytes: progress.sentBytes,
      watched_transfer_bytes_per_second: progress.rateBytesPerSecond,
      watched_dirty_bytes_per_second: progress.dirtyBytesPerSecond,
      watched_dirty_syncs: progress.syncs,
      watched_throttle_ratio: throttlePercent === null ? 0 : throttlePercent / 100,
      watched_expected_downtime_seconds: seconds(progress.expectedDowntimeNs),
      watched_ends_by_itself_ratio: foreseen?.endsByItself,
    });
    for (const statistic of ['p10', 'p50', 'p90'] as const) {
      const total = foreseen?.totalNs?.[statistic];
      this.#metrics.note(
        { ...labels, statistic },
        {
          watched_foreseen_left_seconds: seconds(total === undefined ? null : total - atNs),
          watched_foreseen_downtime_seconds: seconds(foreseen?.downtimeNs?.[statistic] ?? null),
        },
      );
    }
  }
}

function seconds(ns: number | null): number | null {
  return ns === null ? null : ns / 1e9;
}
