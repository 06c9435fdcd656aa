import { dirtyAfter } from './objective.ts';

/**
 * Pages sorted by rate, cut into runs of nearly equal rate. A run in consecutive slots costs a geometric series
 * instead of a term for each page; that is what makes an order of two million pages searchable.
 */
export interface Runs {
  /** The mean rate of run r, in writes per slot. */
  readonly rates: Float64Array;
  /** Run r is pages starts[r] to starts[r+1] − 1 of the sorted sequence; the last entry is the number of pages. */
  readonly starts: Uint32Array;
}

/**
 * Cuts `rates` (ascending) where a rate exceeds the first of its run by more than the factor 1 + tolerance.
 * A page's term 1 − exp(−λe) has elasticity λe/(exp(λe) − 1) ≤ 1 in λ: a sum over runs is within a share
 * `tolerance` of the sum over pages, and as every run keeps its mean rate the first-order errors mostly cancel.
 */
export function runsOf(rates: Float64Array, tolerance: number): Runs {
  const means: number[] = [];
  const starts: number[] = [];
  for (let start = 0, end = 0; start < rates.length; start = end) {
    const limit = rates[start]! * (1 + tolerance);
    let excess = 0;
    // ∞ − ∞, in the run of the pages with π = 1, counts as no excess.
    while (end < rates.length && rates[end]! <= limit) excess += rates[end++]! - rates[start]! || 0;
    means.push(rates[start]! + excess / (end - start));
    starts.push(start);
  }
  return { rates: Float64Array.from(means), starts: Uint32Array.from([...starts, rates.length]) };
}

/** Below this λe the closed form loses more to cancellation (1e-16/λe) than the series to truncation ((λe)²/6). */
const SMALL = 1e-5;

/**
 * What `pages` pages of one rate leave dirty in the slots of exposure lowest, lowest + 1, …, highest:
 *
 *   Σ_e 1 − q^e = pages − q^lowest · (1 − q^pages) / (1 − q),   q = exp(−λ)
 */
export function dirtyInRun(rate: number, lowest: number, pages: number): number {
  if (pages === 1) return dirtyAfter(rate, lowest);
  const highest = lowest + pages - 1;
  if (rate * highest < SMALL) {
    const sum = (pages * (lowest + highest)) / 2;
    const squares = squaresTo(highest) - squaresTo(lowest - 1);
    return rate * sum - (rate * rate * squares) / 2;
  }
  if (rate === Number.POSITIVE_INFINITY) return pages;
  return pages - (Math.exp(-rate * lowest) * Math.expm1(-rate * pages)) / Math.expm1(-rate);
}

/** 1² + 2² + … + last². */
function squaresTo(last: number): number {
  return (last * (last + 1) * (2 * last + 1)) / 6;
}
