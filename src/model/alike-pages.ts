import type { DirtyPages } from './memory.ts';
import { refinedNormalQuantile } from './poisson-binomial.ts';

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
