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
  return coarseToFine(runs.starts[runs.rates.length]!, partsOfDirty(runs));
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

/** The objective, in pages: what is dirty of the hot pages, which are sent first, and of the others. */
interface DirtyParts {
  readonly hot: number;
  readonly cold: number;
}

/**
 * The objective with the h hottest pages first. Sorted page i, counted from 0, is exposed for i + 1 slots when it is one of
 * the hot (they fill the slots from the first on), and for n − h − i slots otherwise. So what a hot page comes to does not
 * depend on h, and is added up once.
 */
function partsOfDirty({ rates, starts }: Runs): (hottest: number) => DirtyParts {
  const runs = rates.length;
  const pages = starts[runs]!;
  const dirtyFrom = new Float64Array(runs + 1);
  for (let run = runs - 1; run >= 0; run--) {
    const start = starts[run]!;
    dirtyFrom[run] = dirtyFrom[run + 1]! + dirtyInRun(rates[run]!, start + 1, starts[run + 1]! - start);
  }
  return (hottest) => {
    const others = pages - hottest;
    let cold = 0;
    let run = 0;
    for (; run < runs && starts[run + 1]! <= others; run++) {
      const end = starts[run + 1]!;
      cold += dirtyInRun(rates[run]!, others - end + 1, end - starts[run]!);
    }
    if (hottest === 0) return { hot: 0, cold };
    // The run that both have a part of, the hot perhaps all.
    const [start, end] = [starts[run]!, starts[run + 1]!];
    if (start < others) cold += dirtyInRun(rates[run]!, 1, others - start);
    return { hot: dirtyFrom[run + 1]! + dirtyInRun(rates[run]!, others + 1, end - others), cold };
  };
}

const GRID = 64;
const REFINEMENT = 8;

/**
 * The h in 0…`last` with the least objective found on a grid of 64 steps, then around the best with a step of an
 * eighth, down to 1. Sure to be the least of all only up to 64, or if the objective has a single valley; but in 400
 * mixtures of up to six classes of pages it never was another.
 */
function coarseToFine(last: number, parts: (hottest: number) => DirtyParts): number {
  let best = candidate(0, parts);
  let step = Math.max(1, Math.ceil(last / GRID));
  if (last >= step) best = leastOf(step, last, step, best, parts);
  while (step > 1) {
    const [from, to] = [Math.max(0, best.hottest - step), Math.min(last, best.hottest + step)];
    step = Math.ceil(step / REFINEMENT);
    best = leastOf(from, to, step, best, parts);
  }
  return best.hottest;
}

interface Candidate extends DirtyParts {
  readonly hottest: number;
}

function candidate(hottest: number, parts: (hottest: number) => DirtyParts): Candidate {
  return { hottest, ...parts(hottest) };
}

/**
 * The first of the least among from, from + step, … `to`, or `best`, if none of them is less. With more hot pages, more
 * of these are dirty and fewer of the others: between two candidates none is less than the hot of the one and the
 * cold of the other, and if that is too much, they need not be looked at.
 */
function leastOf(
  from: number,
  to: number,
  step: number,
  best: Candidate,
  parts: (hottest: number) => DirtyParts,
): Candidate {
  const steps = Math.floor((to - from) / step);
  let least = best;
  const look = (at: number): Candidate => {
    const found = candidate(from + at * step, parts);
    const less = found.hot + found.cold - (least.hot + least.cold);
    if (less < 0 || (less === 0 && least !== best && found.hottest < least.hottest)) least = found;
    return found;
  };
  const lookBetween = (low: number, fewer: Candidate, high: number, more: Candidate): void => {
    if (high - low < 2 || fewer.hot + more.cold > least.hot + least.cold) return;
    const middle = (low + high) >> 1;
    const found = look(middle);
    lookBetween(low, fewer, middle, found);
    lookBetween(middle, found, high, more);
  };
  lookBetween(0, look(0), steps, look(steps));
  return least;
}
