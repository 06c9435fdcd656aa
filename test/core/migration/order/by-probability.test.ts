import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { recency } from '../../../../src/core/migration/heat.ts';
import {
  byIncreasingRate,
  byProbability,
  perSlot,
} from '../../../../src/core/migration/order/by-probability.ts';
import { writeRates } from '../../../../src/core/migration/order/objective.ts';
import { orderNames, orders } from '../../../../src/core/migration/order/orders.ts';
import { PageSet } from '../../../../src/core/migration/pages.ts';
import { Random } from '../../../../src/core/random.ts';
import { probabilities } from './populations.ts';

const heatOf = (values: ArrayLike<number>) => ({ see: () => {}, of: (page: number) => values[page]! });

test('a page not written in a slot for a whole window is not written in the window', () => {
  for (const probability of [1e-12, 0.01, 0.5, 0.999]) {
    for (const slots of [0.5, 1, 61, 1e5]) {
      expect((1 - perSlot(probability, slots)) ** slots).toBeCloseTo(1 - probability, 9);
    }
  }
  expect([perSlot(0, 61), perSlot(1, 61)]).toEqual([0, 1]);
});

test('without a reservation the window has no number of slots, and hotter pages stay hotter', () => {
  const [cold, warm] = [perSlot(0.01, Number.POSITIVE_INFINITY), perSlot(0.02, Number.POSITIVE_INFINITY)];
  expect(cold).toBeGreaterThan(0);
  expect(warm).toBeGreaterThan(cold);
});

test('a rule sees the probabilities per slot of the dirty pages and speaks of them by place', () => {
  const dirty = PageSet.of(100, [7, 50, 99]);
  const seen: number[] = [];
  const order = byProbability((values) => {
    seen.push(...values);
    return byIncreasingRate(writeRates(values));
  });
  const heat = heatOf(Float64Array.from({ length: 100 }, (_, page) => 1 - (page / 100) ** 2));
  expect([...order(dirty, { heat, random: Random.seeded(1), slotsPerWindow: 2 })]).toEqual([99, 50, 7]);
  expect(seen.sort().map((value) => value.toFixed(6))).toEqual(['0.010000', '0.500000', '0.930000']);
});

test('pages near 1 are sorted as well as pages near 0', () => {
  const values = Float64Array.of(1, 1 - 1e-14, 1 - 1e-12, 1 - 1e-10, 0.5, 1e-10, 1e-12, 1e-14, 0);
  expect([...byIncreasingRate(writeRates(values))]).toEqual([8, 7, 6, 5, 4, 3, 2, 1, 0]);
});

test('equal rates keep the order of the items', () => {
  expect([...byIncreasingRate(Float64Array.of(2, 1, 2, 0, 1, 2))]).toEqual([3, 1, 4, 0, 2, 5]);
});

describe.each(orderNames)('%s', (name) => {
  const { order } = orders[name];

  test('sends every dirty page once and nothing else', () => {
    fc.assert(
      fc.property(probabilities(80), fc.integer(), (values, seed) => {
        const random = Random.seeded(seed);
        const dirty = new PageSet(values.length);
        for (let page = 0; page < values.length; page++) if (random.uniform() < 0.7) dirty.add(page);
        const sent = order(dirty, { heat: heatOf(values), random, slotsPerWindow: 61 });
        expect(sent.slice().sort()).toEqual(dirty.toArray());
      }),
    );
  });

  test('is the same for the same seed', () => {
    const values = Float64Array.from({ length: 60 }, (_, page) => (page % 5) / 10);
    const send = () =>
      order(PageSet.all(60), { heat: heatOf(values), random: Random.seeded(9), slotsPerWindow: 61 });
    expect(send()).toEqual(send());
  });
});

test.each(
  orderNames.filter((name) => orders[name].heat === 'probability'),
)('%s breaks ties at random', (name) => {
  const send = (seed: number) =>
    orders[name].order(PageSet.all(50), {
      heat: recency(50),
      random: Random.seeded(seed),
      slotsPerWindow: 61,
    });
  expect(send(1)).not.toEqual(send(2));
  expect(send(1)).not.toEqual(PageSet.all(50).toArray());
});
