import fc from 'fast-check';
import { expect, test } from 'vitest';
import { firstPageRate } from '../../../src/run/prediction/first-page.ts';

const MS = 1e6;
const written = (rate: number, ns: number) => -Math.expm1((-rate * ns) / 1e9);

test('a steady writer has come within a time shorter than its period as often as it has', () => {
  fc.assert(
    fc.property(fc.double({ min: 0.001, max: 0.9, noNaN: true }), (share) => {
      const rate = firstPageRate({ randomWritesPerSecond: 0, periodsNs: [10 * MS] }, 1, share * 10 * MS);
      expect(written(rate, share * 10 * MS)).toBeCloseTo(share, 6);
    }),
  );
});

test('and for sure within its period, at the speed of the program', () => {
  for (const speed of [0.5, 1, 2]) {
    const rate = firstPageRate({ randomWritesPerSecond: 0, periodsNs: [10 * MS] }, speed, 100 * MS);
    expect(written(rate, (10 * MS) / speed)).toBeGreaterThan(0.999999);
  }
});

test('a random writer comes as often as it does', () => {
  const rate = firstPageRate({ randomWritesPerSecond: 30, periodsNs: [] }, 2, MS);
  expect(rate).toBe(60);
});
