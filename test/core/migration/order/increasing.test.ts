import fc from 'fast-check';
import { expect, test } from 'vitest';
import { known } from '../../../../src/core/migration/heat.ts';
import { orders } from '../../../../src/core/migration/order/orders.ts';
import { PageSet } from '../../../../src/core/migration/pages.ts';
import { Random } from '../../../../src/core/random.ts';

/** E[pages dirty at the end of the round]: the page in slot j of n is exposed for n − j of them (from 0). */
function expectedDirty(order: readonly number[], probabilities: readonly number[]): number {
  const n = order.length;
  return order.reduce((sum, page, j) => sum + 1 - (1 - probabilities[page]!) ** (n - j), 0);
}

function* permutations(items: readonly number[]): Generator<number[]> {
  if (items.length === 0) yield [];
  for (const [index, item] of items.entries()) {
    for (const rest of permutations(items.toSpliced(index, 1))) yield [item, ...rest];
  }
}

test('when every page is written with probability at most 1/n a slot, no order of them all is better (paper, corollary)', () => {
  const guests = fc
    .integer({ min: 1, max: 6 })
    .chain((n) => fc.array(fc.double({ min: 0, max: 1 / n, noNaN: true }), { minLength: n, maxLength: n }));
  fc.assert(
    fc.property(guests, fc.nat(), (probabilities, seed) => {
      const n = probabilities.length;
      const rates = Float64Array.from(probabilities, (p) => -Math.log1p(-p) * 1e9);
      const context = {
        heat: known({ writesPerSecond: rates }, 1),
        slotsPerWindow: 1,
        random: Random.seeded(seed),
      };
      const sent = [...orders.increasing.order(PageSet.all(n), context)];
      const all = [...permutations([...Array(n).keys()])].map((order) => expectedDirty(order, probabilities));
      // Heats are compared as 24-bit numbers.
      expect(expectedDirty(sent, probabilities)).toBeLessThanOrEqual(Math.min(...all) + 1e-6);
    }),
    { numRuns: 60 },
  );
});

test('when pages are hotter than that, it may be beaten', () => {
  const probabilities = [0.9, 0.8, 0.1];
  expect(expectedDirty([2, 1, 0], probabilities)).toBeGreaterThan(expectedDirty([0, 1, 2], probabilities));
});
