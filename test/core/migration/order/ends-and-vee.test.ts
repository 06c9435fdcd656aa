import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { endsOrder } from '../../../../src/core/migration/order/ends.ts';
import { exactOrder } from '../../../../src/core/migration/order/exact.ts';
import { expectedDirty } from '../../../../src/core/migration/order/objective.ts';
import { thresholdOrder } from '../../../../src/core/migration/order/threshold.ts';
import { veeOrder } from '../../../../src/core/migration/order/vee.ts';
import { permutations, probabilities } from './populations.ts';

describe.each([
  ['ends', endsOrder, takesAnEnd, 0.01],
  ['vee', veeOrder, isVee, 0.08],
] as const)('%s', (name, rule, hasItsShape, excess) => {
  test('is the best of the orders of its shape', () => {
    fc.assert(
      fc.property(probabilities(7).map(apart), (values) => {
        const order = rule(values);
        let least = Number.POSITIVE_INFINITY;
        for (const other of permutations(values.length)) {
          if (hasItsShape(values, other)) least = Math.min(least, expectedDirty(values, other));
        }
        expect(hasItsShape(values, order)).toBe(true);
        expect(expectedDirty(values, order)).toBeCloseTo(least, 11);
      }),
      { numRuns: 50 },
    );
  });

  test('is a permutation close to the optimum', () => {
    fc.assert(
      fc.property(probabilities(60), (values) => {
        const order = rule(values);
        expect(order.slice().sort()).toEqual(Uint32Array.from(values.keys()));
        const least = expectedDirty(values, exactOrder(values));
        expect(expectedDirty(values, order)).toBeLessThanOrEqual(least * (1 + excess) + 1e-9);
      }),
    );
  });

  test('refuses more than 10,000 pages with the way out', () => {
    expect(() => rule(new Float64Array(10_001))).toThrow(
      new RangeError(`order ${name} takes at most 10000 pages, not 10001: use threshold`),
    );
  });
});

test('vee is never worse than threshold, which is a case of it', () => {
  fc.assert(
    fc.property(probabilities(60), (values) => {
      const threshold = expectedDirty(values, thresholdOrder(values));
      expect(expectedDirty(values, veeOrder(values))).toBeLessThanOrEqual(threshold + 1e-6);
    }),
  );
});

/** Either equal or told apart by the 24 bits of a rate that the orders sort by. */
function apart(values: Float64Array): Float64Array {
  return values.map((probability) => Math.round(probability * 1e6) / 1e6);
}

/** Every page sent is the coldest or the hottest of those not sent before it. */
function takesAnEnd(values: Float64Array, order: Uint32Array): boolean {
  const sent = Array.from(order, (item) => values[item]!);
  return sent.every((probability, place) => {
    const left = sent.slice(place);
    return probability === Math.min(...left) || probability === Math.max(...left);
  });
}

/** π falls up to some position and rises after it. */
function isVee(values: Float64Array, order: Uint32Array): boolean {
  const sent = Array.from(order, (item) => values[item]!);
  const lowest = sent.indexOf(Math.min(...sent));
  return sent.every((probability, place) => {
    if (place === 0) return true;
    return place <= lowest ? probability <= sent[place - 1]! : probability >= sent[place - 1]!;
  });
}
