import type { MigrationRecord } from '../../core/migration/record.ts';
import type { Nanos } from '../../core/units.ts';
import { sumOf } from '../statistics/sum.ts';

/** A threshold limits a time of every migration, or a share counted over all of them. */
export type StressMetric =
  | {
      readonly kind: 'time';
      /** Infinite for a migration that did not complete. `undefined`: it has no such time. */
      of(record: MigrationRecord): Nanos | undefined;
    }
  | {
      readonly kind: 'share';
      /** `undefined`: it has nothing of that kind to count. */
      of(record: MigrationRecord): Part | undefined;
    };

/** This `part` of the `whole`. */
export interface Part {
  readonly part: number;
  readonly whole: number;
}

export const metrics = {
  downtime: timeOf(({ downtimeNs }) => downtimeNs),
  total: timeOf(({ totalNs }) => totalNs),
  /** The longest time without a heartbeat that the guest's client saw. */
  outage: timeOf(({ outage }) => outage?.longestGapNs),
  /** The longest time that a thread with a reservation waited while it had work. */
  blackout: {
    kind: 'time',
    of: ({ servers }) =>
      servers.length === 0 ? undefined : Math.max(...servers.map((server) => server.longestBlackoutNs)),
  },
  missedPeriods: {
    kind: 'share',
    of({ servers }) {
      if (servers.length === 0) return undefined;
      const part = sumOf(servers, 'missedPeriods');
      return { part, whole: sumOf(servers, 'periods') };
    },
  },
  /** Heartbeats, which are the frames of a stream, that the guest sent more than a period late. */
  lateFrames: framesOf(({ lateHeartbeats }) => lateHeartbeats),
  lostFrames: framesOf(({ lostHeartbeats }) => lostHeartbeats),
  /** Migrations that did not complete. */
  failures: { kind: 'share', of: ({ outcome }) => ({ part: outcome === 'completed' ? 0 : 1, whole: 1 }) },
} as const satisfies Record<string, StressMetric>;

function timeOf(completed: (record: MigrationRecord) => Nanos | undefined) {
  const of = (record: MigrationRecord) =>
    record.outcome === 'completed' ? completed(record) : Number.POSITIVE_INFINITY;
  return { kind: 'time', of } as const;
}

function framesOf(count: (outage: NonNullable<MigrationRecord['outage']>) => number) {
  const of = ({ outage }: MigrationRecord) =>
    outage ? { part: count(outage), whole: outage.heartbeats } : undefined;
  return { kind: 'share', of } as const;
}

export type MetricName = keyof typeof metrics;
export const metricNames = Object.keys(metrics) as MetricName[];
