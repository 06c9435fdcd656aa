import { median, quantileSorted } from 'simple-statistics';

/** An estimate from a sample, with its interval. */
export interface Estimate {
  readonly count: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  /** Whether [low, high] is a 95 % interval. With too few values it is the range of the sample. */
  readonly confident: boolean;
}

/** And on which sides the interval has a bound. */
export interface QuantileEstimate extends Estimate {
  readonly bounded: { readonly below: boolean; readonly above: boolean };
}

/** A sample in brief. */
export interface Summary extends Omit<Estimate, 'value'> {
  readonly median: number;
}

/** The median and its 95 % interval; below six values there is none, and their range is given instead. */
export function summary(values: readonly number[]): Summary {
  const { value, count, low, high, confident } = quantileEstimate(values, 0.5);
  return { median: value, count, low, high, confident };
}

/**
 * Whether all runs came to the same in every figure: then their seeds change nothing. They are one run, and there is no interval.
 * @param figures one list a figure, in each a value a run
 */
export function areAlike(...figures: readonly (readonly number[])[]): boolean {
  return figures.every((values) => values.length > 1 && values.every((value) => value === values[0]));
}

/** The median of runs that may be one run: of those there is one value, whatever their number. */
export function summaryOf(values: readonly number[], alike: boolean): Summary {
  return summary(alike ? values.slice(0, 1) : values);
}

/**
 * A quantile and its 95 % interval from order statistics, which assumes nothing of the distribution. Of n values,
 * Bin(n, p) lie below the p-quantile; so it is less than the r-th smallest with probability Pr[Bin(n, p) < r], and more
 * than the r-th largest with probability Pr[Bin(n, 1 − p) < r]. Each r is the largest for which that is at most 2.5 %.
 */
export function quantileEstimate(values: readonly number[], p: number): QuantileEstimate {
  const sorted = ascending(values);
  const below = largestRank(sorted.length, p);
  const above = largestRank(sorted.length, 1 - p);
  return {
    count: sorted.length,
    value: p === 0.5 ? median(sorted) : quantileSorted(sorted, p),
    low: sorted[Math.max(below, 1) - 1]!,
    high: sorted[sorted.length - Math.max(above, 1)]!,
    confident: below > 0 && above > 0,
    bounded: { below: below > 0, above: above > 0 },
  };
}

/** The fewest values for a 95 % interval of the p-quantile: 6 for the median, 72 for 95 %, 368 for 99 %. */
export function fewestFor(p: number): number {
  return Math.ceil(Math.log(ONE_SIDE) / Math.log(Math.max(p, 1 - p)));
}

/** Says that there are too few values for a 95 % interval of the p-quantile. `undefined`: there are enough. */
export function tooFew(count: number, p: number): string | undefined {
  const fewest = fewestFor(p);
  if (count >= fewest) return undefined;
  const what = p === 0.5 ? 'the median' : `the ${Number((100 * p).toPrecision(4))} % quantile`;
  return `${count} ${count === 1 ? 'run is' : 'runs are'} too few for a 95 % interval of ${what}, which needs ${fewest}`;
}

/** What a 95 % interval leaves out on either side. */
export const ONE_SIDE = 0.025;

/** The largest r with Pr[Bin(n, p) < r] ≤ 2.5 %; 0 if there is none. */
function largestRank(n: number, p: number): number {
  // In logarithms: 2^−n is nothing in a double from n = 1075 on.
  let logProbability = n * Math.log1p(-p);
  let below = 0;
  let rank = 0;
  while (rank < n) {
    below += Math.exp(logProbability);
    if (below > ONE_SIDE) return rank;
    logProbability += Math.log(((n - rank) * p) / ((rank + 1) * (1 - p)));
    rank += 1;
  }
  return 0;
}

/** The interval that holds the middle 95 % of the values: where one more is expected. */
export function spread(values: readonly number[]): { median: number; low: number; high: number } {
  const sorted = ascending(values);
  return {
    median: median(sorted),
    low: quantileSorted(sorted, ONE_SIDE),
    high: quantileSorted(sorted, 1 - ONE_SIDE),
  };
}

export function quantile(values: readonly number[], p: number): number {
  return quantileSorted(ascending(values), p);
}

/** A copy in ascending order. Typed, because that sorts numbers as numbers, and several times as fast. */
export function ascending(values: readonly number[]): number[] {
  return Array.from(Float64Array.from(values).sort());
}
