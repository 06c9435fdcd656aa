import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expectedDirty } from '../../src/core/migration/order/objective.ts';
import { orderNames, orders } from '../../src/core/migration/order/orders.ts';
import type { OrderContext } from '../../src/core/migration/order/page-order.ts';
import { PageSet } from '../../src/core/migration/pages.ts';
import { Random } from '../../src/core/random.ts';
import { expectedOrder } from '../../src/model/expected-order.ts';
import { meanFieldRound } from '../../src/model/mean-field.ts';
import { portionsOfPages } from '../../src/model/portions.ts';

/** Probabilities in one slot. */
function context(probabilities: ArrayLike<number>): OrderContext {
  const heat = { see: () => {}, of: (page: number) => probabilities[page]! };
  return { heat, slotsPerWindow: 1, random: Random.seeded(1) };
}

/** As many distinct probabilities, four decades from 0.1 downwards, scattered. */
function scattered(pages: number): Float64Array {
  const ranks = Random.seeded(4).shuffle(Uint32Array.from({ length: pages }, (_, rank) => rank));
  return Float64Array.from(ranks, (rank) => 10 ** (-1 - (4 * rank) / pages));
}

test.each(orderNames)('in round 1, when all pages are dirty, %s is the order of the migration', (name) => {
  const probabilities = scattered(60);
  const expected = orders[name].order(PageSet.all(60), context(probabilities));
  expect(expectedOrder(name, 60, context(probabilities))(new Float64Array(60).fill(1), 1)).toEqual(expected);
});

test.each(orderNames)('%s has every page in it, whatever is dirty', (name) => {
  const shares = fc.array(fc.oneof(fc.constantFrom(0, 1), fc.double({ min: 0, max: 1, noNaN: true })), {
    minLength: 1,
    maxLength: 60,
  });
  fc.assert(
    fc.property(shares, (toSend) => {
      const pages = toSend.length;
      const order = expectedOrder(name, pages, context(scattered(pages)))(Float64Array.from(toSend), 2);
      expect(order.slice().sort()).toEqual(Uint32Array.from({ length: pages }, (_, page) => page));
    }),
    { numRuns: 50 },
  );
});

/** Later rounds: the hotter a page, the surer it is dirty. */
test.each([
  'threshold',
  'vee',
  'increasing',
  'decreasing',
] as const)('a round in the order %s leaves what it leaves on average of the dirty sets that may come', (name) => {
  const pages = 400;
  const probabilities = scattered(pages).map((p) => p * 2);
  const toSend = probabilities.map((p) => p / (p + 0.01));
  const ofModel = expectedOrder(name, pages, context(probabilities))(toSend, 2);
  const { dirty } = meanFieldRound(
    { dirty: toSend, carriedVariance: 0 },
    {
      portions: portionsOfPages(
        probabilities.map((p) => -Math.log1p(-p)),
        0,
        () => false,
      ),
      slotSeconds: 1,
      order: ofModel,
      clear: 'page',
      readAfterSlots: 0,
      zeroSlots: 0,
    },
  );
  const random = Random.seeded(2);
  let total = 0;
  const runs = 400;
  for (let run = 0; run < runs; run++) {
    const set = new PageSet(pages);
    toSend.forEach((share, page) => {
      if (random.uniform() < share) set.add(page);
    });
    const order = orders[name].order(set, context(probabilities));
    const own = Float64Array.from(order, (page) => probabilities[page]!);
    total += expectedDirty(own, Uint32Array.from(own.keys()));
    probabilities.forEach((p, page) => {
      if (!set.has(page)) total += 1 - (1 - p) ** order.length;
    });
  }
  const left = dirty.reduce((sum, d) => sum + d, 0);
  expect(Math.abs(left / (total / runs) - 1)).toBeLessThan(0.01);
});
