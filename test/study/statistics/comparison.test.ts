import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/core/random.ts';
import { paired, unpaired } from '../../../src/study/statistics/comparison.ts';

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

  test('tells apart what an unpaired one cannot', () => {
    const random = Random.seeded(3);
    const base = sample(random, 30).map((luck) => 100 * luck);
    const alternative = base.map((luck) => luck - 1 + random.uniform() / 10);
    expect(paired(base, alternative)).toMatchObject({ certain: true, superiority: 1 });
    expect(unpaired(base, alternative, 1)).toMatchObject({ certain: false });
  });

  test('leaves out pairs of which one is missing, and there is none without pairs', () => {
    expect(paired([1, Number.NaN, 3], [2, 2, Number.NaN])?.difference).toMatchObject({ count: 1, value: 1 });
    expect(paired([Number.NaN], [1])).toBeUndefined();
  });

  test('is never certain below six pairs', () => {
    expect(paired([5, 5, 5, 5, 5], [1, 1, 1, 1, 1])?.certain).toBe(false);
    expect(paired([5, 5, 5, 5, 5, 5], [1, 1, 1, 1, 1, 1])?.certain).toBe(true);
  });
});

describe('an unpaired comparison', () => {
  test('covers the true difference of medians in 93 to 97 of 100 repetitions', () => {
    let seed = 0;
    const covered = coverage((random) => {
      const { low, high } = unpaired(sample(random, 41), sample(random, 41, 2), seed++, 199)!.difference;
      return low <= 2 && 2 <= high;
    });
    expect(covered).toBeGreaterThan(0.93);
    expect(covered).toBeLessThan(0.97);
  });

  test('counts for the superiority every pair in which the alternative has less, and half of the equal ones', () => {
    const values = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(values, values, (base, alternative) => {
        let sum = 0;
        for (const one of base)
          for (const other of alternative) sum += other < one ? 1 : other === one ? 0.5 : 0;
        const { superiority } = unpaired(base, alternative, 1, 9)!;
        expect(superiority).toBeCloseTo(sum / (base.length * alternative.length), 12);
      }),
    );
  });
});
