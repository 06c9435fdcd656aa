import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dirtyAfter, expectedDirty, writeRates } from '../../../../src/core/migration/order/objective.ts';
import { Random } from '../../../../src/core/random.ts';
import { probabilities } from './populations.ts';

const of = (...values: number[]) => Float64Array.from(values);

test('the page in position j of n is exposed for n + 1 − j slots, its own included', () => {
  const expected = 1 - 0.8 ** 3 + (1 - 0.5 ** 2) + (1 - 0.9);
  expect(expectedDirty(of(0.5, 0.1, 0.2), Uint32Array.of(2, 0, 1))).toBeCloseTo(expected, 14);
});

test('a page that is never written is never dirty, and one that is always written always is: exactly', () => {
  expect(expectedDirty(of(0, 1, 0, 1), Uint32Array.of(0, 1, 2, 3))).toBe(2);
  expect([...writeRates(of(0, -0, 1))]).toEqual([0, 0, Number.POSITIVE_INFINITY]);
});

test('tiny probabilities keep their digits', () => {
  expect(dirtyAfter(writeRates(of(1e-18))[0]!, 1000) / 1e-15).toBeCloseTo(1, 12);
});

test('the sum is that of the formula', () => {
  fc.assert(
    fc.property(probabilities(40), fc.integer(), (values, seed) => {
      const order = Random.seeded(seed).shuffle(Uint32Array.from(values.keys()));
      let sum = 0;
      for (const [sent, item] of order.entries()) sum += 1 - (1 - values[item]!) ** (values.length - sent);
      expect(expectedDirty(values, order)).toBeCloseTo(sum, 11);
    }),
  );
});

test('it is the mean number of dirty pages of simulated rounds', () => {
  const values = of(0.02, 0.6, 0.1, 0.3, 0.05);
  const order = Uint32Array.of(1, 0, 4, 2, 3);
  const random = Random.seeded(1);
  const rounds = 40_000;
  let dirty = 0;
  for (let round = 0; round < rounds; round++) {
    for (const [sent, item] of order.entries()) {
      let written = false;
      for (let slot = sent; slot < order.length; slot++) if (random.uniform() < values[item]!) written = true;
      if (written) dirty += 1;
    }
  }
  expect(Math.abs(dirty / rounds - expectedDirty(values, order))).toBeLessThan(0.02);
});

test('what is not a probability is refused by name, and so is an order of another length', () => {
  expect(() => writeRates(of(0.5, 1.5))).toThrow(
    new RangeError('probability 1 is 1.5; a probability lies between 0 and 1'),
  );
  expect(() => writeRates(of(Number.NaN))).toThrow(RangeError);
  expect(() => writeRates(of(-1e-9))).toThrow(RangeError);
  expect(() => expectedDirty(of(0.5, 0.5), Uint32Array.of(0))).toThrow(RangeError);
});
