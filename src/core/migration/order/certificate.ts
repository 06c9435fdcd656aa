import { ENDS_PAGES_MAX, endsOrder } from './ends.ts';
import { leastCosts } from './least-costs.ts';
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
 * for rounding (about 1e-12 of the pages). Tight up to 10,000 pages, where `vee` and `ends` price the slots too,
 * and about a second's work there; above, up to 2 % of the dirty pages may stay in doubt when π spreads over
 * decades and π·n ≫ 1 for most. RangeErrors as `expectedDirty`.
 */
export function excessAtMost(probabilities: Float64Array, order: Uint32Array): number {
  const rules = [thresholdOrder];
  if (order.length <= Math.min(VEE_PAGES_MAX, ENDS_PAGES_MAX)) rules.push(veeOrder, endsOrder);
  const reached = expectedDirty(probabilities, order);
  let best = reached;
  let least = 0;
  for (const rule of rules) {
    const reference = rule(probabilities);
    best = Math.min(best, expectedDirty(probabilities, reference));
    for (const share of SHARES) {
      least = Math.max(least, dirtyAtLeast(probabilities, reference, share));
      if (best - least <= DOUBT * best) return Math.max(0, reached - least);
    }
  }
  return Math.max(0, reached - least);
}

/** What no order can beat, in pages, by the slot prices that `order` implies. */
function dirtyAtLeast(probabilities: Float64Array, order: Uint32Array, share: number): number {
  const rates = writeRates(probabilities);
  const exposures = Float64Array.from(rates, (_, slot) => slot + 1);
  const prices = slotPrices(rates, order, share);
  const sorted = rates.sort();
  const pagePrices = leastCosts(sorted, exposures, prices);
  // Then −u_e = min_i (1 − (1 − π_i)^e − v_i): no slot needs a higher price than what some page would pay for it.
  const discounts = pagePrices.map((price) => -price);
  return sum(pagePrices) + sum(leastCosts(exposures, sorted, discounts));
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
