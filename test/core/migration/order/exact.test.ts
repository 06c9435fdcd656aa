import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decreasingOrder } from '../../../../src/core/migration/order/decreasing.ts';
import { exactOrder } from '../../../../src/core/migration/order/exact.ts';
import { expectedDirty } from '../../../../src/core/migration/order/objective.ts';
import {
  leastByBruteForce,
  logUniform,
  mean,
  neighboursMayStay,
  permutations,
  probabilities,
  uniform,
} from './populations.ts';

test('no permutation of up to 7 pages is better than the exact order', () => {
  fc.assert(
    fc.property(probabilities(7), (values) => {
      expect(expectedDirty(values, exactOrder(values))).toBeCloseTo(leastByBruteForce(values), 11);
    }),
    { numRuns: 60 },
  );
});

test('the order theorem holds for the exact order: no two neighbours gain by changing places', () => {
  for (const population of [uniform, logUniform]) {
    const kept = mean(40, (random) => {
      const values = population(1 + random.below(60), random);
      return neighboursMayStay(values, exactOrder(values)) ? 1 : 0;
    });
    expect(kept).toBe(1);
  }
});

test('the order theorem is necessary, not sufficient: some 2.4 of the 720 orders of 6 pages satisfy it', () => {
  let worst = 0;
  const satisfying = mean(200, (random) => {
    const values = uniform(6, random);
    const least = expectedDirty(values, exactOrder(values));
    let count = 0;
    for (const order of permutations(6)) {
      if (!neighboursMayStay(values, order)) continue;
      count += 1;
      worst = Math.max(worst, expectedDirty(values, order) / least - 1);
    }
    return count;
  });
  expect(satisfying).toBeGreaterThan(2);
  expect(satisfying).toBeLessThan(2.8);
  expect(worst).toBeGreaterThan(0.02);
  expect(worst).toBeLessThan(0.12);
});

test('increasing order is optimal when every probability is at most 1/n', () => {
  fc.assert(
    fc.property(probabilities(40), (values) => {
      const small = values.map((probability) => probability / values.length);
      const increasing = decreasingOrder(small).reverse();
      expect(expectedDirty(small, increasing)).toBeCloseTo(expectedDirty(small, exactOrder(small)), 7);
    }),
  );
});

test('decreasing order is optimal when every probability is at least 1/2', () => {
  fc.assert(
    fc.property(probabilities(40), (values) => {
      const large = values.map((probability) => (1 + probability) / 2);
      expect(expectedDirty(large, decreasingOrder(large))).toBeCloseTo(
        expectedDirty(large, exactOrder(large)),
        7,
      );
    }),
  );
});

test('1/n is sharp: with one page a little hotter, increasing order is not optimal any more', () => {
  const values = Float64Array.of(0.48, 0.56);
  const increasing = Uint32Array.of(0, 1);
  expect(expectedDirty(values, increasing)).toBeGreaterThan(expectedDirty(values, exactOrder(values)) + 1e-3);
});

test('more than 500 pages are refused with the way out', () => {
  expect(() => exactOrder(new Float64Array(501))).toThrow(
    new RangeError('order exact takes at most 500 pages, not 501: use threshold'),
  );
  expect(exactOrder(new Float64Array(0))).toEqual(new Uint32Array(0));
});
