import { describe, expect, test } from 'vitest';
import { orderByProbability } from '../../../../src/core/migration/order/known-probabilities.ts';
import { expectedDirty } from '../../../../src/core/migration/order/objective.ts';
import { orderNames } from '../../../../src/core/migration/order/orders.ts';
import { thresholdOrder } from '../../../../src/core/migration/order/threshold.ts';
import { Random } from '../../../../src/core/random.ts';
import { uniform } from './populations.ts';

const values = uniform(60, Random.seeded(4));

describe.each(orderNames)('%s', (rule) => {
  test('says what its order leaves dirty and how far that can be from the optimum', () => {
    const ordered = orderByProbability(rule, values, 1);
    const exact = orderByProbability('exact', values, 1);
    expect(ordered.order.slice().sort()).toEqual(Uint32Array.from(values.keys()));
    expect(ordered.expectedDirtyPages).toBe(expectedDirty(values, ordered.order));
    expect(ordered.excessAtMost).toBeGreaterThanOrEqual(
      ordered.expectedDirtyPages - exact.expectedDirtyPages - 1e-11,
    );
    expect(orderByProbability(rule, values, 1)).toEqual(ordered);
  });
});

test('address keeps the order of the items', () => {
  expect(orderByProbability('address', values, 1).order).toEqual(Uint32Array.from(values.keys()));
});

test('with known probabilities recency and frequency both mean increasing', () => {
  const increasing = orderByProbability('increasing', values, 1);
  expect([...increasing.order].map((item) => values[item]!)).toEqual([...values].sort((a, b) => a - b));
  expect(orderByProbability('lru', values, 1)).toEqual(increasing);
  expect(orderByProbability('frequency', values, 1)).toEqual(increasing);
});

test('the probabilities are those of one slot', () => {
  const least = expectedDirty(values, thresholdOrder(values));
  expect(orderByProbability('threshold', values, 1).expectedDirtyPages).toBeCloseTo(least, 9);
});

test('what is no probability is refused', () => {
  expect(() => orderByProbability('increasing', Float64Array.of(0.5, -0.1), 1)).toThrow(
    /probability 1 is -0.1/,
  );
});

test('nothing to send is an empty order', () => {
  expect(orderByProbability('threshold', new Float64Array(0), 1)).toEqual({
    order: new Uint32Array(0),
    expectedDirtyPages: 0,
    excessAtMost: 0,
  });
});
