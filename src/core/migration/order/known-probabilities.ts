import { Random } from '../../random.ts';
import { PageSet } from '../pages.ts';
import { excessAtMost } from './certificate.ts';
import { expectedDirty } from './objective.ts';
import { type OrderName, orderRegistry } from './orders.ts';

/** One round, ordered for known write probabilities. */
export interface OrderedRound {
  /** Items, counted from 0 as they were given: first sent first. */
  readonly order: Uint32Array;
  /** E[n_2], in pages. */
  readonly expectedDirtyPages: number;
  /** No order leaves fewer than expectedDirtyPages − excessAtMost pages dirty. */
  readonly excessAtMost: number;
}

/**
 * Sends items that are written with the given probabilities (per slot, independently) by one of the page orders,
 * as if they were a dirty set of as many pages. `lru` and `frequency` become `increasing`: when π is known, the
 * page not written for longest and the page written least often are, on average, the page of the least π.
 * The seed breaks ties. RangeError for a probability outside [0, 1], or more items than the rule takes.
 */
export function orderByProbability(rule: OrderName, probabilities: Float64Array, seed: number): OrderedRound {
  const heat = { of: (item: number) => probabilities[item]! };
  const random = Random.seeded(seed);
  const context = { heat, random, slotsPerWindow: 1 };
  const order = orderRegistry.get(rule).order(PageSet.all(probabilities.length), context);
  return {
    order,
    expectedDirtyPages: expectedDirty(probabilities, order),
    excessAtMost: excessAtMost(probabilities, order),
  };
}
