import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deferrable } from '../../../src/core/migration/deferral.ts';
import { known } from '../../../src/core/migration/heat.ts';

const writesPerSecond = Float64Array.of(0, 1e-5, 0.4, 2.5, 16.8);
const guests = fc.uint8Array({ max: writesPerSecond.length - 1, minLength: 1, maxLength: 90 });

describe('pages that wait for the stop', () => {
  test('by count are the hottest, the first of equal ones, whether heats have ranks or not', () => {
    fc.assert(
      fc.property(guests, fc.nat({ max: 100 }), (classOf, count) => {
        const heat = known({ writesPerSecond, classOf }, 40e6);
        const held = deferrable({ count }, heat, classOf.length);
        const hottestFirst = [...classOf.keys()].sort((a, b) => classOf[b]! - classOf[a]! || a - b);
        expect([...held.toArray()]).toEqual(hottestFirst.slice(0, count).sort((a, b) => a - b));
        expect(deferrable({ count }, { ...heat, ranks: undefined }, classOf.length)).toEqual(held);
      }),
    );
  });

  test('by threshold are those that are written in a window at least so likely', () => {
    fc.assert(
      fc.property(guests, (classOf) => {
        const heat = known({ writesPerSecond, classOf }, 40e6);
        const held = deferrable({ threshold: 0.09 }, heat, classOf.length);
        // 1 − exp(−2.5 · 0.04) = 0.095.
        expect([...held.toArray()]).toEqual([...classOf.keys()].filter((page) => classOf[page]! >= 3));
      }),
    );
  });
});
