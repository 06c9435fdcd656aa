import { describe, expect, test } from 'vitest';
import { excessAtMost } from '../../../../src/core/migration/order/certificate.ts';
import { decreasingOrder } from '../../../../src/core/migration/order/decreasing.ts';
import { exactOrder } from '../../../../src/core/migration/order/exact.ts';
import { expectedDirty } from '../../../../src/core/migration/order/objective.ts';
import { thresholdOrder } from '../../../../src/core/migration/order/threshold.ts';
import { Random } from '../../../../src/core/random.ts';
import { logUniform, uniform } from './populations.ts';

const populations = Object.entries({ uniform, logUniform });

describe.each(populations)('%s', (_name, population) => {
  test('threshold is within 4 % of the optimum for up to 8 pages', () => {
    let worst = 0;
    for (let seed = 1; seed <= 3000; seed++) {
      const random = Random.seeded(seed);
      const values = population(2 + random.below(7), random);
      const excess =
        expectedDirty(values, thresholdOrder(values)) / expectedDirty(values, exactOrder(values)) - 1;
      worst = Math.max(worst, excess);
    }
    expect(worst).toBeLessThan(0.04);
    expect(worst).toBeGreaterThan(0.005);
  });

  test('threshold is certified within 0.1 % of the optimum for 1000 to 2500 pages', () => {
    for (let seed = 1; seed <= 6; seed++) {
      const random = Random.seeded(seed);
      const values = population(1000 + random.below(1501), random);
      const order = thresholdOrder(values);
      expect(excessAtMost(values, order)).toBeLessThan(0.001 * expectedDirty(values, order));
    }
  });

  test('no other number of hot pages is better', () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = Random.seeded(seed);
      const values = population(1 + random.below(150), random);
      expect(expectedDirty(values, thresholdOrder(values))).toBeCloseTo(bestOfAll(values, 1), 9);
    }
  });

  test('rates grouped into runs, above 10,000 pages, cost no more than 1e-5 of the dirty pages', () => {
    const values = population(20_000, Random.seeded(1));
    const found = expectedDirty(values, thresholdOrder(values));
    expect(found).toBeLessThan(bestOfAll(values, 40) * (1 + 1e-5));
  });
});

test('most hot pages go first and the rest are increasing', () => {
  const values = Float64Array.of(1e-4, 0.9, 2e-4, 0.8, 3e-4, 0.7, 4e-4, 0.6);
  expect([...thresholdOrder(values)].slice(0, 2)).toEqual([1, 3]);
  expect(isPermutation(thresholdOrder(values))).toBe(true);
});

test('pages that are never written, always written, or all alike are ordinary', () => {
  for (const values of [
    [],
    [0.3],
    [0, 0, 0],
    [1, 1, 1],
    [0, 1, 0, 1],
    new Array<number>(20_000).fill(0.001),
  ]) {
    expect(isPermutation(thresholdOrder(Float64Array.from(values)))).toBe(true);
  }
});

/** The least objective over every `step`-th number of hot pages, each order built and summed in full. */
function bestOfAll(values: Float64Array, step: number): number {
  const decreasing = decreasingOrder(values);
  let least = Number.POSITIVE_INFINITY;
  for (let hot = 0; hot <= values.length; hot += step) {
    const order = Uint32Array.of(...decreasing.subarray(0, hot), ...decreasing.slice(hot).reverse());
    least = Math.min(least, expectedDirty(values, order));
  }
  return least;
}

function isPermutation(order: Uint32Array): boolean {
  return order
    .slice()
    .sort()
    .every((item, place) => item === place);
}
