import { Random } from '../../core/random.ts';
import { type Estimate, ONE_SIDE, quantile, quantileEstimate } from '../statistics/estimate.ts';
import { sumOf } from '../statistics/sum.ts';
import type { Part } from './stress-metrics.ts';

/** A figure of a sample, and its 95 % interval. */
export type ThresholdEstimate = Pick<Estimate, 'value' | 'low' | 'high'>;

/** The p-quantile. A bound that so few values do not give is infinite: ten runs cannot say how high a 95 % quantile is. */
export function quantileWithin(values: readonly number[], p: number): ThresholdEstimate {
  const { value, low, high, bounded } = quantileEstimate(values, p);
  return {
    // Between two infinite values there is nothing to interpolate.
    value: Number.isNaN(value) ? Number.POSITIVE_INFINITY : value,
    low: bounded.below ? low : Number.NEGATIVE_INFINITY,
    high: bounded.above ? high : Number.POSITIVE_INFINITY,
  };
}

/** The largest value that was measured. There is nothing to infer. */
export function largest(values: readonly number[]): ThresholdEstimate {
  const most = Math.max(...values);
  return { value: most, low: most, high: most };
}

const RESAMPLES = 2_000;
const SEED = 1;

/**
 * A share counted over all runs. What happens within a run hangs together, so whole runs are drawn again (percentile
 * bootstrap); where nothing at all was counted, the bound is Clopper and Pearson's, 1 − 0.025^(1/n).
 */
export function shareEstimate(parts: readonly Part[]): ThresholdEstimate {
  const part = sumOf(parts, 'part');
  const whole = sumOf(parts, 'whole');
  if (whole === 0) return { value: 0, low: 0, high: 1 };
  if (part === 0) return { value: 0, low: 0, high: 1 - ONE_SIDE ** (1 / whole) };
  if (part === whole) return { value: 1, low: ONE_SIDE ** (1 / whole), high: 1 };
  if (parts.length === 1) return { value: part / whole, low: 0, high: 1 };
  const random = Random.seeded(SEED);
  const drawn = Array.from({ length: RESAMPLES }, () => {
    let partSum = 0;
    let wholeSum = 0;
    for (let i = 0; i < parts.length; i++) {
      const each = parts[random.below(parts.length)]!;
      partSum += each.part;
      wholeSum += each.whole;
    }
    return partSum / wholeSum;
  });
  return { value: part / whole, low: quantile(drawn, ONE_SIDE), high: quantile(drawn, 1 - ONE_SIDE) };
}
