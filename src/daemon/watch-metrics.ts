import { wallClockMs } from '../platform/clock.ts';
import { version } from '../platform/package.ts';
import type { WatchEvent } from '../run/watch/watch-event.ts';
import type { WatchedMonitor } from '../run/watch/watched-monitor.ts';
import { MetricRegistry } from './metric-registry.ts';
import { watchMetricTable } from './watch-metric-table.ts';
import { WatchedSeries } from './watched-series.ts';

/** What is read of a monitor when somebody scrapes. */
export type WatchedByCommand = Pick<WatchedMonitor, 'socket' | 'status' | 'progress'>;

/** The metrics of `switchover watch`. */
export class WatchMetrics {
  readonly #metrics = new MetricRegistry(watchMetricTable);
  readonly #watched = new WatchedSeries(this.#metrics);
  readonly #monitors: readonly WatchedByCommand[];

  constructor(monitors: readonly WatchedByCommand[]) {
    this.#monitors = monitors;
    this.#metrics.note({ version, node: process.version }, { build_info: 1 });
    this.#metrics.note({}, { start_timestamp_seconds: Math.round(wallClockMs() / 1e3) });
  }

  get contentType(): string {
    return this.#metrics.contentType;
  }

  /** Takes what is counted. */
  happened(event: WatchEvent): void {
    if (event.event === 'ended') this.#watched.ended(event.monitor, event);
  }

  scrape(): Promise<string> {
    const running = this.#monitors.filter(({ progress }) => progress !== null).length;
    this.#metrics.note({}, { migrations_running: running });
    this.#watched.now(
      this.#monitors.map(({ socket: monitor, status, progress }) => ({ monitor, status, progress })),
    );
    return this.#metrics.text();
  }
}
