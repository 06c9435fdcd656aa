import { byIncreasingRate, byProbability, inOrder } from './by-probability.ts';
import { writeRates } from './objective.ts';
import { dirtyInRun, type Runs, runsOf } from './runs.ts';

/**
 * The h hottest pages first, in decreasing π; all others after them in increasing π. This project's own rule.
 *
 * A page with π·n ≫ 1 is found dirty wherever it is sent. Coldest-first (h = 0, the order of Checconi, Cucinotta
 * and Stein) gives such pages the last slots, the only ones that could have saved a page; here they go
 * first, where nothing is lost by them. h minimises the exact objective; h = n is the decreasing order.
 */
export function thresholdOrder(probabilities: Float64Array): Uint32Array {
  const rates = writeRates(probabilities);
  const increasing = byIncreasingRate(rates);
  const pages = increasing.length;
  const runs = runsOf(inOrder(rates, increasing), pages > PAGES_EXACT ? TOLERANCE : 0);
  return hottestFirst(increasing, hottestFew(runs));
}

export const threshold = byProbability(thresholdOrder);

/** h, of pages in runs: so many of the hottest go first. */
export function hottestFew(runs: Runs): number {
  return coarseToFine(runs.starts[runs.rates.length]!, (hot) => expectedDirtyOf(runs, hot));
}

/** Up to here only equal rates share a run and the search sees the objective itself: some 100 sums of n terms. */
const PAGES_EXACT = 10_000;

/** Above, rates within 0.1 % share a run: at most 110,000 runs from the smallest 24-bit rate to the largest. */
const TOLERANCE = 1e-3;

/** Moves the last `hot` of the pages, which are in increasing order, to the front and turns them round. */
function hottestFirst(increasing: Uint32Array, hot: number): Uint32Array {
  const cold = increasing.length - hot;
  const order = new Uint32Array(increasing.length);
  order.set(increasing.subarray(cold).reverse());
  order.set(increasing.subarray(0, cold), hot);
  return order;
}

/**
 * The objective with the `hot` hottest pages first. Sorted page i, counted from 0, is exposed for i + 1 slots
 * when it is one of the hot (they fill the slots from the first on), and for cold − i slots otherwise.
 */
function expectedDirtyOf({ rates, starts }: Runs, hot: number): number {
  const cold = starts[rates.length]! - hot;
  let total = 0;
  for (let run = 0; run < rates.length; run++) {
    const start = starts[run]!;
    const end = starts[run + 1]!;
    const cut = Math.min(Math.max(start, cold), end);
    if (start < cut) total += dirtyInRun(rates[run]!, cold - cut + 1, cut - start);
    if (cut < end) total += dirtyInRun(rates[run]!, cut + 1, end - cut);
  }
  return total;
}

const GRID = 64;
const REFINEMENT = 8;

/**
 * The argument in 0…last with the least cost found on a grid of 64 steps, then around the best with a step of an
 * eighth, down to 1. Sure to be the least of all only up to 64, or if the cost has a single valley; but in 400
 * mixtures of up to six classes of pages it never was another.
 */
function coarseToFine(last: number, cost: (at: number) => number): number {
  let best = 0;
  let least = cost(0);
  const scan = (from: number, to: number, step: number): void => {
    for (let at = from; at <= to; at += step) {
      const here = cost(at);
      if (here < least) [best, least] = [at, here];
    }
  };
  let step = Math.max(1, Math.ceil(last / GRID));
  scan(step, last, step);
  while (step > 1) {
    const [from, to] = [Math.max(0, best - step), Math.min(last, best + step)];
    step = Math.ceil(step / REFINEMENT);
    scan(from, to, step);
  }
  return best;
}
