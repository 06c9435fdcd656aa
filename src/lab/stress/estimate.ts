import { Random } from '../../core/random.ts';
import { quantile } from '../statistics.ts';
import type { Part } from './metrics.ts';

/** A figure of a sample, and the interval in which it lies of the population with 95 %. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** On either side of an interval. */
const TAIL = 0.025;

/**
 * The p-quantile, with the interval that order statistics give without assuming anything of the distribution: fewer
 * than r of n values lie below the quantile with probability Pr[Bin(n, p) < r]. Where n is too small for a bound
 * that value is infinite: ten runs cannot say how high a 95 % quantile is.
 */
export function quantileEstimate(values: readonly number[], p: number): Estimate {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  let below = 0;
  let low = Number.NEGATIVE_INFINITY;
  let high = Number.POSITIVE_INFINITY;
  for (let count = 0; count < n; count++) {
    // `below` is Pr[Bin < count]: the value of this rank lies above the quantile with that probability at most.
    if (below <= TAIL) low = count === 0 ? low : sorted[count - 1]!;
    below += binomial(n, count, p);
    if (1 - below <= TAIL) {
      high = sorted[count]!;
      break;
    }
  }
  const value = quantile(sorted, p);
  // Between two infinite values there is nothing to interpolate.
  return { value: Number.isNaN(value) ? Number.POSITIVE_INFINITY : value, low, high };
}

/** Pr[Bin(n, p) = k], by logarithms, so that a large n does not underflow. */
function binomial(n: number, k: number, p: number): number {
  let logarithm = k * Math.log(p) + (n - k) * Math.log1p(-p);
  for (let i = 1; i <= k; i++) logarithm += Math.log((n - k + i) / i);
  return Math.exp(logarithm);
}

/** So many runs give the p-quantile an upper bound. */
export function runsForUpperBound(p: number): number {
  return Math.ceil(Math.log(TAIL) / Math.log(p));
}

/** What the runs showed, about which there is nothing to infer. */
export function largest(values: readonly number[]): Estimate {
  const most = Math.max(...values);
  return { value: most, low: most, high: most };
}

const RESAMPLES = 2_000;
const SEED = 1;

/**
 * A share counted over all runs. What happens within a run hangs together, so whole runs are drawn again (percentile
 * bootstrap); where nothing at all was counted, the bound is Clopper and Pearson's, 1 − 0.025^(1/n).
 */
export function shareEstimate(parts: readonly Part[]): Estimate {
  const part = parts.reduce((sum, each) => sum + each.part, 0);
  const whole = parts.reduce((sum, each) => sum + each.whole, 0);
  if (whole === 0) return { value: 0, low: 0, high: 1 };
  if (part === 0) return { value: 0, low: 0, high: 1 - TAIL ** (1 / whole) };
  if (part === whole) return { value: 1, low: TAIL ** (1 / whole), high: 1 };
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
  return { value: part / whole, low: quantile(drawn, TAIL), high: quantile(drawn, 1 - TAIL) };
}
