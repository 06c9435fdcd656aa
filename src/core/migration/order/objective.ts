/**
 * What one pre-copy round leaves dirty, as a function of the order in which it sends its pages.
 *
 * Item i is a page written at least once in any one slot with probability π_i, independently over pages and
 * slots. The page sent in position j of n (1-based) is exposed for e = n + 1 − j slots, its own included, so
 *
 *   E[n_2] = Σ_i 1 − (1 − π_i)^e(i)        (Checconi, Cucinotta and Stein, VHPC 2009, for K = 1)
 *
 * Everything is computed from the write rate λ = −ln(1 − π), the writes per slot of a Poisson writer, because
 * then (1 − π)^e = exp(−λ·e): a π of 1e-18 and a π of 1 − 1e-16 both keep all their digits.
 */

/** λ_i = −ln(1 − π_i), in writes per slot: 0 for π = 0, Infinity for π = 1. RangeError when π is not in [0, 1]. */
export function writeRates(probabilities: Float64Array): Float64Array {
  const rates = new Float64Array(probabilities.length);
  for (let item = 0; item < rates.length; item++) {
    const probability = probabilities[item]!;
    if (!(probability >= 0 && probability <= 1)) refuse(item, probability);
    if (probability > 0) rates[item] = -Math.log1p(-probability);
  }
  return rates;
}

/** @throws RangeError */
function refuse(item: number, probability: number): never {
  throw new RangeError(`probability ${item} is ${probability}; a probability lies between 0 and 1`);
}

/** 1 − (1 − π)^slots for a page of rate λ: exactly 0 at λ = 0, exactly 1 at λ = Infinity. `slots` is positive. */
export function dirtyAfter(rate: number, slots: number): number {
  return -Math.expm1(-rate * slots);
}

/**
 * E[n_2] in pages: the pages that a round leaves dirty when it sends item order[0] first and order[n−1] last.
 * RangeError when the order has another length than the probabilities, or one of them is not in [0, 1].
 */
export function expectedDirty(probabilities: Float64Array, order: Uint32Array): number {
  const pages = order.length;
  if (probabilities.length !== pages) {
    throw new RangeError(`an order of ${pages} items cannot send ${probabilities.length} pages`);
  }
  const rates = writeRates(probabilities);
  let total = 0;
  for (let sent = 0; sent < pages; sent++) total += dirtyAfter(rates[order[sent]!]!, pages - sent);
  return total;
}
