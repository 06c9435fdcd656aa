import fc from 'fast-check';
import { expect, test } from 'vitest';
import { excessAtMost } from '../../../../src/core/migration/order/certificate.ts';
import { exactOrder } from '../../../../src/core/migration/order/exact.ts';
import { leastCosts } from '../../../../src/core/migration/order/least-costs.ts';
import { dirtyAfter, expectedDirty, writeRates } from '../../../../src/core/migration/order/objective.ts';
import { thresholdOrder } from '../../../../src/core/migration/order/threshold.ts';
import { Random } from '../../../../src/core/random.ts';
import { calibrated, leastByBruteForce, logUniform, probabilities, uniform } from './populations.ts';

/** The order of the items, given and shuffled. */
const someOrder = (values: Float64Array, seed: number) =>
  Random.seeded(seed).shuffle(Uint32Array.from(values.keys()));

test('the certificate is never below the true loss, by brute force over up to 7 pages', () => {
  fc.assert(
    fc.property(probabilities(7), fc.integer(), (values, seed) => {
      const least = leastByBruteForce(values);
      for (const order of [someOrder(values, seed), thresholdOrder(values), exactOrder(values)]) {
        expect(excessAtMost(values, order)).toBeGreaterThanOrEqual(
          expectedDirty(values, order) - least - 1e-11,
        );
      }
    }),
    { numRuns: 60 },
  );
});

test('the certificate is never below the true loss, by the exact order of up to 60 pages', () => {
  fc.assert(
    fc.property(probabilities(60), fc.integer(), (values, seed) => {
      const least = expectedDirty(values, exactOrder(values));
      for (const order of [someOrder(values, seed), thresholdOrder(values)]) {
        expect(excessAtMost(values, order)).toBeGreaterThanOrEqual(
          expectedDirty(values, order) - least - 1e-11,
        );
      }
    }),
  );
});

test('the certificate is tight: an exact order of 200 pages is certified within 0.03 % and no order far above its loss', () => {
  for (const population of [uniform, logUniform]) {
    for (let seed = 1; seed <= 8; seed++) {
      const values = population(200, Random.seeded(seed));
      const exact = exactOrder(values);
      const least = expectedDirty(values, exact);
      expect(excessAtMost(values, exact)).toBeLessThan(0.0003 * least);
      const shuffled = someOrder(values, seed);
      const loss = expectedDirty(values, shuffled) - least;
      expect(excessAtMost(values, shuffled) - loss).toBeLessThan(0.0003 * least);
    }
  }
});

test('threshold is certified within 0.006 pages on the 6500 pages calibrated to the slides', () => {
  const values = calibrated();
  const order = thresholdOrder(values);
  expect(expectedDirty(values, order)).toBeCloseTo(441.99, 2);
  expect(excessAtMost(values, order)).toBeLessThan(0.006);
});

test('the least costs are those of looking at every cell', () => {
  const random = Random.seeded(5);
  for (const [rows, columns] of [
    [1, 1],
    [40, 300],
    [300, 40],
    [257, 513],
  ] as const) {
    for (const population of [uniform, logUniform]) {
      const rates = writeRates(population(rows, random)).sort();
      rates[rows - 1] = Number.POSITIVE_INFINITY;
      const exposures = Float64Array.from({ length: columns }, (_, slot) => slot + 1);
      // Prices that several pages are nearly indifferent to, so that many columns are near the cheapest.
      const buyers = writeRates(population(8, random));
      const prices = exposures.map((e) => buyers.reduce((sum, rate) => sum + Math.exp(-rate * e) / 8, 0));
      for (let slot = 0; slot < columns; slot++) prices[slot]! += 1e-4 * random.uniform();
      const expected = rates.map((rate) =>
        exposures.reduce((least, e, slot) => Math.min(least, dirtyAfter(rate, e) + prices[slot]!), 2),
      );
      const least = leastCosts(rates, exposures, prices);
      for (let row = 0; row < rows; row++) expect(least[row]).toBeCloseTo(expected[row]!, 14);
    }
  }
});

test.each([
  ['longer exposure, above the curve x·y = 1', 0.0101, 0.0149, 100, 200],
  ['shorter exposure, below the curve x·y = 1', 0.0051, 0.0095, 110, 100],
])('the least costs are found where each hotter page wants a %s', (_where, coldest, hottest, from, to) => {
  const pages = Math.abs(to - from) + 1;
  const rates = Float64Array.from(
    { length: pages },
    (_, i) => coldest + ((hottest - coldest) * i) / (pages - 1),
  );
  const exposures = Float64Array.from({ length: pages }, (_, slot) => Math.min(from, to) + slot);
  // The price of a slot rises from one to the next by what the slot is worth to the page that is to have it.
  const prices = new Float64Array(pages);
  for (let slot = 1; slot < pages; slot++) {
    const rate = rates[to > from ? slot : pages - 1 - slot]!;
    const [before, after] = [exposures[slot - 1]!, exposures[slot]!];
    prices[slot] = prices[slot - 1]! + dirtyAfter(rate, before) - dirtyAfter(rate, after);
  }
  const expected = rates.map((rate) =>
    exposures.reduce((least, e, slot) => Math.min(least, dirtyAfter(rate, e) + prices[slot]!), 2),
  );
  const least = leastCosts(rates, exposures, prices);
  for (let row = 0; row < pages; row++) expect(least[row]).toBeCloseTo(expected[row]!, 14);
});

test('nothing to send, or nothing that is written, is certified without excess', () => {
  expect(excessAtMost(new Float64Array(0), new Uint32Array(0))).toBe(0);
  expect(excessAtMost(new Float64Array(3), Uint32Array.of(2, 0, 1))).toBe(0);
});
