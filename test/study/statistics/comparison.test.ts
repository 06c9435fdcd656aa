import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/core/random.ts';
import { paired } from '../../../src/study/statistics/comparison.ts';
import { summary } from '../../../src/study/statistics/estimate.ts';

const REPETITIONS = 2_000;

/** In how many of 2,000 seeded repetitions an interval holds what is true. */
function coverage(holds: (random: Random) => boolean): number {
  const random = Random.seeded(7);
  let held = 0;
  for (let repetition = 0; repetition < REPETITIONS; repetition++) if (holds(random)) held += 1;
  return held / REPETITIONS;
}

const sample = (random: Random, count: number, shift = 0) =>
  Array.from({ length: count }, () => shift + random.exponential(1));

describe('a paired comparison', () => {
  test('covers the true difference in 93 to 97 of 100 repetitions, whatever the pairs have in common', () => {
    const covered = coverage((random) => {
      const base = sample(random, 40).map((luck) => 100 * luck);
      // What a pair has in common falls out; what is left is symmetric around 3.
      const alternative = base.map((luck) => luck + 3 + random.exponential(1) - random.exponential(1));
      const { low, high } = paired(base, alternative)!.difference;
      return low <= 3 && 3 <= high;
    });
    expect(covered).toBeGreaterThan(0.93);
    expect(covered).toBeLessThan(0.97);
  });

  test('distinguishes alternatives whose medians hardly differ', () => {
    const random = Random.seeded(3);
    const base = sample(random, 30).map((luck) => 100 * luck);
    const alternative = base.map((luck) => luck - 1 + random.uniform() / 10);
    expect(paired(base, alternative)).toMatchObject({ certain: true, superiority: 1 });
    const [first, second] = [summary(base), summary(alternative)];
    expect(second.high).toBeGreaterThan(first.low);
  });

  test('leaves out pairs of which one is missing, and there is none without pairs', () => {
    expect(paired([1, Number.NaN, 3], [2, 2, Number.NaN])?.difference).toMatchObject({ count: 1, value: 1 });
    expect(paired([Number.NaN], [1])).toBeUndefined();
  });

  test('of alternatives that never differ is exact, and no sample', () => {
    const comparison = paired(Array(8).fill(5), Array(8).fill(1), true)!;
    expect(comparison.certain).toBe(false);
    expect(comparison.difference).toMatchObject({ value: -4, count: 1, confident: false });
  });

  test('is never certain below six pairs', () => {
    expect(paired([5, 5, 5, 5, 6], [1, 1, 1, 1, 2])?.certain).toBe(false);
    expect(paired([5, 5, 5, 5, 5, 6], [1, 1, 1, 1, 1, 2])?.certain).toBe(true);
  });
});
