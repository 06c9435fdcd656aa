import { ENDS_PAGES_MAX, endsOrder } from './ends.ts';
import { dirtyAfter, expectedDirty, writeRates } from './objective.ts';
import { thresholdOrder } from './threshold.ts';
import { VEE_PAGES_MAX, veeOrder } from './vee.ts';

/**
 * How far an order can be from the optimum of one round, without solving for the optimum.
 *
 * Sending is an assignment of pages to slots, so linear programming duality bounds every order from below: give
 * the slot of exposure e any price u_e; then no order can reach less than
 *
 *   Σ_i v_i − Σ_e u_e,   v_i = min_e (1 − (1 − π_i)^e + u_e),
 *
 * since a page pays at least v_i wherever it goes, and all slots are sold once. Good prices come from a good
 * order. Where page a is sent just before page b, and b's slot has exposure e, the two stay as they are only if
 * g_e(a) ≤ u_e − u_{e+1} ≤ g_e(b), with g_e(x) = π_x(1 − π_x)^e what x gains by moving one slot later: the order
 * theorem of Checconi, Cucinotta and Stein, read as prices. The bound itself is this project's own.
 */

/** Which value of [g_e(a), g_e(b)] a price step takes, 0 to 1. None is best for every population. */
const SHARES = [0.5, 0.75];

/** Prices that leave less than this share of the dirty pages in doubt are not improved on. */
const DOUBT = 1e-6;

/**
 * An upper bound, in pages, on E[n_2] of `order` minus the least E[n_2] of any order; never below the truth but
 * for rounding (about 1e-12 of the pages). Costs up to a second at 6500 pages and a few at 100,000.
 * RangeErrors as `expectedDirty`.
 */
export function excessAtMost(probabilities: Float64Array, order: Uint32Array): number {
  let best = order.length;
  let least = 0;
  const doubtful = (): boolean => best - least > DOUBT * best;
  const learnFrom = (reference: Uint32Array, dirty: number): void => {
    best = Math.min(best, dirty);
    for (const share of SHARES) {
      if (doubtful()) least = Math.max(least, dirtyAtLeast(probabilities, reference, share));
    }
  };

  const reached = expectedDirty(probabilities, order);
  const rules = [thresholdOrder];
  if (order.length <= Math.min(VEE_PAGES_MAX, ENDS_PAGES_MAX)) rules.push(veeOrder, endsOrder);
  for (const rule of rules) {
    if (!doubtful()) break;
    const reference = rule(probabilities);
    learnFrom(reference, expectedDirty(probabilities, reference));
  }
  if (reached < best) learnFrom(order, reached);
  return Math.max(0, reached - least);
}

/** What no order can beat, in pages, by the slot prices that `order` implies. */
function dirtyAtLeast(probabilities: Float64Array, order: Uint32Array, share: number): number {
  const rates = writeRates(probabilities);
  const exposures = Float64Array.from(rates, (_, slot) => slot + 1);
  const prices = slotPrices(rates, order, share);
  const sorted = rates.sort();
  const pagePrices = leastCosts(sorted, exposures, prices);
  // The same step with pages and slots exchanged lowers every slot's price to what some page would pay for it.
  const earned = leastCosts(
    exposures,
    sorted,
    pagePrices.map((price) => -price),
  );
  return sum(pagePrices) + sum(earned);
}

/** u by exposure − 1, from u_n = 0 down the exposures in the steps that the neighbours in `order` allow. */
function slotPrices(rates: Float64Array, order: Uint32Array, share: number): Float64Array {
  const pages = order.length;
  const prices = new Float64Array(pages);
  for (let exposure = pages - 1; exposure >= 1; exposure--) {
    const before = gain(rates[order[pages - exposure - 1]!]!, exposure);
    const after = gain(rates[order[pages - exposure]!]!, exposure);
    prices[exposure - 1] = prices[exposure]! + before + share * (after - before);
  }
  return prices;
}

/** g_e = π(1 − π)^e. */
function gain(rate: number, exposure: number): number {
  return Math.exp(-rate * exposure) * dirtyAfter(rate, 1);
}

function sum(terms: Float64Array): number {
  let total = 0;
  for (const term of terms) total += term;
  return total;
}

/** A block of fewer rows or columns is scanned cell by cell. */
const BLOCK = 16;

/**
 * For every row x (ascending) the least cost over the columns y (ascending): min_y 1 − exp(−x·y) + price(y).
 * Exact for any prices, in O(n log² n) instead of n².
 *
 * Between two columns y < y' the difference of costs changes with x like exp(−xy') − exp(−xy): it falls while
 * x·y' ≤ 1 and rises once x·y ≥ 1. So in a block of the matrix on one side of the curve x·y = 1 the cheapest
 * column moves one way only as x grows, and halving the rows halves the columns that are left to look at.
 * Blocks across the curve are quartered; the curve is monotone, so that it meets few of the quarters.
 */
function leastCosts(rows: Float64Array, columns: Float64Array, prices: Float64Array): Float64Array {
  const least = new Float64Array(rows.length).fill(Number.POSITIVE_INFINITY);

  const scan = (row: number, from: number, to: number): number => {
    const x = rows[row]!;
    let cheapest = from;
    let cost = Number.POSITIVE_INFINITY;
    for (let column = from; column <= to; column++) {
      const here = dirtyAfter(x, columns[column]!) + prices[column]!;
      if (here < cost) [cost, cheapest] = [here, column];
    }
    least[row] = Math.min(least[row]!, cost);
    return cheapest;
  };

  const halve = (top: number, bottom: number, from: number, to: number, rising: boolean): void => {
    if (top > bottom) return;
    const middle = (top + bottom) >>> 1;
    const cheapest = scan(middle, from, to);
    const [above, below] = rising
      ? [
          [from, cheapest],
          [cheapest, to],
        ]
      : [
          [cheapest, to],
          [from, cheapest],
        ];
    halve(top, middle - 1, above[0]!, above[1]!, rising);
    halve(middle + 1, bottom, below[0]!, below[1]!, rising);
  };

  const quarter = (top: number, bottom: number, from: number, to: number): void => {
    if (rows[bottom]! * columns[to]! <= 1) halve(top, bottom, from, to, false);
    else if (rows[top]! * columns[from]! >= 1) halve(top, bottom, from, to, true);
    else if (bottom - top < BLOCK || to - from < BLOCK) {
      for (let row = top; row <= bottom; row++) scan(row, from, to);
    } else {
      const row = (top + bottom) >>> 1;
      const column = (from + to) >>> 1;
      quarter(top, row, from, column);
      quarter(top, row, column + 1, to);
      quarter(row + 1, bottom, from, column);
      quarter(row + 1, bottom, column + 1, to);
    }
  };

  if (rows.length > 0) quarter(0, rows.length - 1, 0, columns.length - 1);
  return least;
}
