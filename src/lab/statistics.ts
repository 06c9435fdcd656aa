import { median, quantileSorted } from 'simple-statistics';

/** A sample in short. */
export interface Summary {
  readonly count: number;
  readonly median: number;
  readonly low: number;
  readonly high: number;
  /** Whether [low, high] holds the true median with 95 %; with too few values it is only their range. */
  readonly confident: boolean;
}

/**
 * The median and its 95 % interval from order statistics, which assumes nothing of the distribution: between the
 * r-th smallest and r-th largest of n values the true median lies with probability 1 − 2·Pr[Bin(n, ½) < r]; r is
 * the largest that still gives 95 %. Below six values there is none.
 */
export function summary(values: readonly number[]): Summary {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = intervalRank(sorted.length);
  const outside = Math.max(rank, 1) - 1;
  return {
    count: sorted.length,
    median: median(sorted),
    low: sorted[outside]!,
    high: sorted[sorted.length - 1 - outside]!,
    confident: rank > 0,
  };
}

/** The largest r with 2·Pr[Bin(n, ½) < r] ≤ 5 %; 0 if there is none. */
function intervalRank(n: number): number {
  // In logarithms: 2^−n is nothing in a double from n = 1075 on.
  let logProbability = -n * Math.LN2;
  let below = 0;
  let rank = 0;
  while (rank < n) {
    below += Math.exp(logProbability);
    if (2 * below > 0.05) return rank;
    logProbability += Math.log((n - rank) / (rank + 1));
    rank += 1;
  }
  return 0;
}

/** The interval that holds the middle 95 % of the values: where one more is expected. */
export function spread(values: readonly number[]): { median: number; low: number; high: number } {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    median: median(sorted),
    low: quantileSorted(sorted, 0.025),
    high: quantileSorted(sorted, 0.975),
  };
}

export function quantile(values: readonly number[], p: number): number {
  return quantileSorted(
    [...values].sort((a, b) => a - b),
    p,
  );
}
