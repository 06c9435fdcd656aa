import type { DirtyPages } from './memory.ts';
import { refinedNormalQuantile } from './poisson-binomial.ts';

/**
 * The probability that none of so many pages is dirty.
 * @param pages null: how many are dirty is no chance
 */
export function noneDirty(mean: number, pages: number | null): number {
  if (pages === null) return mean < 0.5 ? 1 : 0;
  return Math.exp(pages * Math.log1p(-mean / pages));
}

/** The dirty ones among pages that are all equally likely to be dirty, by their mean and variance. */
export function alikePages(mean: number, variance: number, pages: number): DirtyPages {
  const skewness = variance > 0 ? (1 - (2 * mean) / pages) / Math.sqrt(variance) : 0;
  return {
    mean,
    deviation: Math.sqrt(variance),
    quantile: (q) => {
      const least = Math.ceil(refinedNormalQuantile({ mean, variance, skewness }, q) - 0.5);
      return Math.min(pages, Math.max(0, least));
    },
  };
}
