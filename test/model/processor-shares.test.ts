import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fairShares } from '../../src/model/processor-shares.ts';

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

test('what one leaves of its share goes to those that want more, in proportion to their weights', () => {
  const all = Number.POSITIVE_INFINITY;
  expect(
    fairShares(1, [
      { demand: 0.1, weight: 1 },
      { demand: all, weight: 1 },
      { demand: all, weight: 2 },
    ]),
  ).toEqual([0.1, expect.closeTo(0.3, 12), expect.closeTo(0.6, 12)]);
});

test('nobody gets more than it wants, nothing is left while anybody wants it, and no unsatisfied one has less than its part', () => {
  const claimant = fc.record({
    demand: fc.oneof(
      fc.constant(Number.POSITIVE_INFINITY),
      fc.integer({ min: 0, max: 100 }).map((n) => n / 50),
    ),
    weight: fc.integer({ min: 1, max: 10 }),
  });
  fc.assert(
    fc.property(fc.array(claimant, { minLength: 1, maxLength: 6 }), (claimants) => {
      const shares = fairShares(1, claimants);
      const wanted = sum(claimants.map(({ demand }) => demand));
      expect(sum(shares)).toBeCloseTo(Math.min(1, wanted), 9);
      const weights = sum(claimants.map(({ weight }) => weight));
      for (const [index, { demand, weight }] of claimants.entries()) {
        expect(shares[index]!).toBeLessThanOrEqual(demand);
        if (shares[index]! < demand) expect(shares[index]!).toBeGreaterThanOrEqual(weight / weights - 1e-9);
      }
    }),
  );
});
