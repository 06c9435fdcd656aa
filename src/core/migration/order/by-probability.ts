import { sortedByKey } from './coldest-first.ts';
import type { PageOrder } from './page-order.ts';

/**
 * An order that follows from write probabilities alone: π of item i in one slot → the items, first sent first.
 * Among equal probabilities it keeps the order of the items, so that whoever shuffles them breaks ties at random.
 */
export type ProbabilityOrder = (probabilities: Float64Array) => Uint32Array;

/** A window is never taken for longer than this: without a reservation the slot has no length, w/T is infinite. */
const SLOTS_PER_WINDOW_MAX = 1e12;

/**
 * π per slot from π per window of w/T = `slotsPerWindow` slots: 1 − (1 − π)^(1/slotsPerWindow).
 * The cap keeps colder and hotter apart where the limit would call every page's probability 0.
 */
export function perSlot(probability: number, slotsPerWindow: number): number {
  // As of most pages of a guest that was watched.
  if (probability === 0) return 0;
  return -Math.expm1(Math.log1p(-probability) / Math.min(slotsPerWindow, SLOTS_PER_WINDOW_MAX));
}

/** Makes a page order of a rule on probabilities: heats (per window) become π per slot, ties fall at random. */
export function byProbability(rule: ProbabilityOrder): PageOrder {
  return (dirty, { heat, random, slotsPerWindow }) => {
    const pages = random.shuffle(dirty.toArray());
    const probabilities = new Float64Array(pages.length);
    for (let item = 0; item < pages.length; item++) {
      probabilities[item] = perSlot(heat.of(pages[item]!), slotsPerWindow);
    }
    const order = rule(probabilities);
    for (let place = 0; place < order.length; place++) order[place] = pages[order[place]!]!;
    return order;
  };
}

/** An order whose work grows too fast for more. @throws RangeError */
export function insistOnAtMost(most: number, { length }: Float64Array, order: string): void {
  if (length <= most) return;
  throw new RangeError(`order ${order} takes at most ${most} pages, not ${length}: use threshold`);
}

/**
 * The items by increasing rate λ = −ln(1 − π), stable. The sort tells 24 bits of a rate apart, near π = 1 as well
 * as near 0; two pages that it takes for equal are worth 1e-7 of a page to each other.
 */
export function byIncreasingRate(rates: Float64Array): Uint32Array {
  const items = new Uint32Array(rates.length);
  for (let item = 0; item < items.length; item++) items[item] = item;
  return sortedByKey(items, new Float32Array(rates));
}

/** The values of the items in the order given. */
export function inOrder(values: Float64Array, order: Uint32Array): Float64Array {
  const ordered = new Float64Array(order.length);
  for (let place = 0; place < order.length; place++) ordered[place] = values[order[place]!]!;
  return ordered;
}
