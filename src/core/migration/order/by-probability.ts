import { sortedByKey } from './coldest-first.ts';
import { writeRates } from './objective.ts';
import type { PageOrder } from './order.ts';

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
  return -Math.expm1(Math.log1p(-probability) / Math.min(slotsPerWindow, SLOTS_PER_WINDOW_MAX));
}

/** Makes a page order of a rule on probabilities: heats (per window) become π per slot, ties fall at random. */
export function byProbability(rule: ProbabilityOrder): PageOrder {
  return (dirty, { heat, random, slotsPerWindow }) => {
    const pages = random.shuffle(dirty.toArray());
    const probabilities = Float64Array.from(pages, (page) => perSlot(heat.of(page), slotsPerWindow));
    return rule(probabilities).map((item) => pages[item]!);
  };
}

/** The items by increasing π, stable. Sorted by λ, whose 24-bit keys tell pages near π = 1 apart as well as near 0. */
export function byIncreasingProbability(probabilities: Float64Array): Uint32Array {
  const items = Uint32Array.from(probabilities, (_, item) => item);
  return sortedByKey(items, Float32Array.from(writeRates(probabilities)));
}
