import type { MigrationRecord } from '../../core/migration/record.ts';
import { fewestFor } from '../statistics/estimate.ts';
import { type MetricName, metricNames, metrics } from './stress-metrics.ts';
import { estimated } from './threshold.ts';
import type { ThresholdEstimate } from './threshold-estimate.ts';

/** How narrow an interval is to be: `downtime±5%`. */
export interface Precision {
  readonly text: string;
  readonly metric: MetricName;
  /** Half of the interval's width, as a share of the figure. */
  readonly halfWidth: number;
}

const GRAMMAR = `METRIC±SHARE%, such as downtime±5%, METRIC being one of ${metricNames.join(', ')}`;

/** @returns what was expected instead, if it is none */
export function parsePrecision(text: string): Precision | { readonly expected: string } {
  const [, name, percent] = /^\s*(\w+)\s*(?:±|\+-)\s*(\d+(?:\.\d+)?)\s*%\s*$/.exec(text) ?? [];
  const metric = metricNames.find((one) => one === name);
  const halfWidth = Number(percent) / 100;
  if (metric === undefined || !(halfWidth > 0 && halfWidth <= 1)) return { expected: GRAMMAR };
  return { text: `${metric} ±${percent} %`, metric, halfWidth };
}

/** The fewest runs of which a median has a 95 % interval. */
export const FEWEST_RUNS = fewestFor(0.5);

/** How precisely the records give the figure: the median of a time, a share counted over all. */
export interface Reached {
  /** `undefined`: the records do not have the figure. */
  readonly estimate: ThresholdEstimate | undefined;
  /** Half of the interval's width, as a share of the figure; infinite where the interval has no bound, or the figure is 0. */
  readonly halfWidth: number;
  readonly isReached: boolean;
}

export function reached(
  { metric, halfWidth: wanted }: Precision,
  records: readonly MigrationRecord[],
): Reached {
  const estimate = estimated({ metric, quantile: quantileOf(metric) }, records);
  if (!estimate) return { estimate, halfWidth: Number.POSITIVE_INFINITY, isReached: false };
  const { value, low, high } = estimate;
  const width = high - low;
  // All values are the same, be it 0.
  const share = width === 0 ? 0 : width / 2 / value;
  const halfWidth = Number.isNaN(share) ? Number.POSITIVE_INFINITY : share;
  return { estimate, halfWidth, isReached: halfWidth <= wanted };
}

/** Of a share there is none: it is counted over all runs. */
function quantileOf(metric: MetricName): number | undefined {
  return metrics[metric].kind === 'time' ? 0.5 : undefined;
}

const GROWTH = 1.1;

/**
 * Whether a row is looked at after so many runs: after the least, and then whenever it has a tenth more. Each look is
 * another chance that an interval is narrow by luck, so there are few.
 */
export function isLookedAt(runs: number, least: number): boolean {
  let next = least;
  while (next < runs) next = Math.ceil(next * GROWTH);
  return next === runs;
}
