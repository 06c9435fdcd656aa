import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { alikePages } from '../../src/model/alike-pages.ts';
import { certainly } from '../../src/model/memory.ts';
import { SettledRounds } from '../../src/model/settled-rounds.ts';

/** So many of 400 pages are dirty on average. */
const dirty = (mean: number) => alikePages(mean, mean * (1 - mean / 400), 400);

test('the round in which it ends is the median of drawn ones', () => {
  for (const [mean, level] of [
    [20, 9],
    [3, 1],
    [100, 78],
  ] as const) {
    const predicted = new SettledRounds(dirty(mean), 0).endsWithin(1e9, level, mean)!.round;
    const random = Random.seeded(7);
    const drawn = Array.from({ length: 301 }, () => {
      for (let round = 1; ; round++) if (dirty(mean).quantile(random.uniform()) < level) return round;
    }).sort((one, other) => one - other);
    // 301 draws of a geometric distribution have a median within 15 % of the true one.
    expect(Math.abs(predicted - drawn[150]!)).toBeLessThanOrEqual(1 + 0.15 * drawn[150]!);
  }
});

test('rounds that pass in pieces end when they end in one', () => {
  const pieces = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(pieces, fc.integer({ min: 2, max: 30 }), (rounds, mean) => {
      const level = mean / 2;
      const whole = new SettledRounds(dirty(mean), 0).endsWithin(
        Number.POSITIVE_INFINITY,
        level,
        mean,
      )!.round;
      const settled = new SettledRounds(dirty(mean), 0);
      let passed = 0;
      for (const some of rounds) {
        const chance = settled.endsWithin(some, level, mean);
        if (chance) {
          expect(Math.abs(passed + chance.round - whole)).toBeLessThanOrEqual(1);
          return;
        }
        passed += some;
      }
      expect(passed).toBeLessThanOrEqual(whole);
    }),
  );
});

test('where chance has no part in it, nothing ends it', () => {
  const settled = new SettledRounds(certainly(5), 0);
  expect(settled.endsWithin(Number.POSITIVE_INFINITY, 4, 5)).toBeUndefined();
  expect(settled.sway()).toBe(0);
});

test('a round without a page to send may come first', () => {
  const settled = new SettledRounds(dirty(40), 0.2);
  expect(settled.endsWithin(100, 5, 40)).toEqual({ round: 4, found: 'nothing to send' });
});

test('how likely it is that it has ended is the share of drawn ones that have', () => {
  const [mean, level, rounds] = [20, 9, 60];
  const settled = new SettledRounds(dirty(mean), 0);
  settled.endsWithin(rounds, level, mean);
  const random = Random.seeded(3);
  const ended = Array.from({ length: 1000 }, () =>
    Array.from({ length: rounds }, () => dirty(mean).quantile(random.uniform())).some((left) => left < level),
  ).filter(Boolean).length;
  expect(settled.endedProbability).toBeGreaterThan(0.02);
  expect(Math.abs(settled.endedProbability - ended / 1000)).toBeLessThan(0.06);
});
