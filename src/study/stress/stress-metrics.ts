import type { MigrationRecord } from '../../core/migration/record.ts';
import type { Nanos } from '../../core/units.ts';
import { sumOf } from '../statistics/sum.ts';

/** What a threshold may speak of: a time of every migration, or a share counted over all of them. */
export type StressMetric =
  | {
      readonly kind: 'time';
      /** Infinite for a migration that did not complete. `undefined`: there is nothing of that kind to measure. */
      of(record: MigrationRecord): Nanos | undefined;
    }
  | {
      readonly kind: 'share';
      /** Of the `whole`, this `part`. `undefined`: as above. */
      of(record: MigrationRecord): Part | undefined;
    };

export interface Part {
  readonly part: number;
  readonly whole: number;
}

const NEVER = Number.POSITIVE_INFINITY;

export const metrics = {
  downtime: {
    kind: 'time',
    of: (record) => (record.outcome === 'completed' ? record.downtimeNs : NEVER),
  },
  total: {
    kind: 'time',
    of: (record) => (record.outcome === 'completed' ? record.totalNs : NEVER),
  },
  /** The longest silence that the guest's client saw. */
  outage: {
    kind: 'time',
    of: (record) => (record.outcome === 'completed' ? record.outage?.longestGapNs : NEVER),
  },
  /** The longest that a reserved thread waited while it had work. */
  blackout: {
    kind: 'time',
    of: ({ servers }) =>
      servers.length === 0
        ? undefined
        : Math.max(...servers.map(({ longestBlackoutNs }) => longestBlackoutNs)),
  },
  missedPeriods: {
    kind: 'share',
    of: ({ servers }) =>
      servers.length === 0
        ? undefined
        : {
            part: sumOf(servers, ({ missedPeriods }) => missedPeriods),
            whole: sumOf(servers, ({ periods }) => periods),
          },
  },
  /** Heartbeats, which are a stream's frames, that the guest sent more than a period late. */
  lateFrames: {
    kind: 'share',
    of: ({ outage }) => (outage ? { part: outage.lateHeartbeats, whole: outage.heartbeats } : undefined),
  },
  lostFrames: {
    kind: 'share',
    of: ({ outage }) => (outage ? { part: outage.lostHeartbeats, whole: outage.heartbeats } : undefined),
  },
  /** Migrations that did not complete. */
  failures: { kind: 'share', of: ({ outcome }) => ({ part: outcome === 'completed' ? 0 : 1, whole: 1 }) },
} as const satisfies Record<string, StressMetric>;

export type MetricName = keyof typeof metrics;
export const metricNames = Object.keys(metrics) as MetricName[];
