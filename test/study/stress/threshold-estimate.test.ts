import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/core/random.ts';
import { fewestFor } from '../../../src/study/statistics/estimate.ts';
import { quantileWithin, shareEstimate } from '../../../src/study/stress/threshold-estimate.ts';

describe('the interval of a quantile', () => {
  test.each([
    [0.5, 25],
    [0.5, 200],
    [0.9, 100],
    [0.95, 200],
  ])('holds the true %f-quantile of %i values in at least 95 %% of samples, and not in all', (p, n) => {
    const random = Random.seeded(7);
    const truth = -Math.log(1 - p);
    const samples = 2_000;
    let held = 0;
    for (let i = 0; i < samples; i++) {
      const { low, high } = quantileWithin(
        Array.from({ length: n }, () => random.exponential(1)),
        p,
      );
      if (low <= truth && truth <= high) held += 1;
    }
    // Order statistics are coarse, so the interval errs on the safe side.
    expect(held / samples).toBeGreaterThan(0.94);
    expect(held / samples).toBeLessThan(0.995);
  });

  test('has no upper bound where the sample is too small for one, and says how large it must be', () => {
    const values = (n: number) => Array.from({ length: n }, (_, i) => i);
    const needed = fewestFor(0.95);
    expect(needed).toBe(72);
    expect(quantileWithin(values(needed - 1), 0.95).high).toBe(Number.POSITIVE_INFINITY);
    expect(quantileWithin(values(needed), 0.95).high).toBe(needed - 1);
    expect(quantileWithin([3], 0.5)).toEqual({
      value: 3,
      low: Number.NEGATIVE_INFINITY,
      high: Number.POSITIVE_INFINITY,
    });
  });

  test('of the median is the one that the table prints', () => {
    const { low, high, value } = quantileWithin([9, 1, 8, 2, 7, 3, 6, 4, 5, 10], 0.5);
    expect([low, value, high]).toEqual([2, 5.5, 9]);
  });

  test('reaches to never where migrations did not complete', () => {
    const values = [...Array(10).fill(1), ...Array(10).fill(Number.POSITIVE_INFINITY)];
    expect(quantileWithin(values, 0.9).value).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('the interval of a share', () => {
  test('holds the true share although what happens within a run hangs together', () => {
    const random = Random.seeded(11);
    let held = 0;
    for (let sample = 0; sample < 300; sample++) {
      // Half of the runs are bad as a whole: 20 % of their periods are missed, else 2 %.
      const runs = Array.from({ length: 40 }, () => {
        const share = random.happens(0.5) ? 0.2 : 0.02;
        let part = 0;
        for (let i = 0; i < 50; i++) if (random.happens(share)) part += 1;
        return { part, whole: 50 };
      });
      const { low, high } = shareEstimate(runs);
      if (low <= 0.11 && 0.11 <= high) held += 1;
    }
    expect(held / 300).toBeGreaterThan(0.9);
  });

  test('of nothing seen is bounded by how much was looked at', () => {
    expect(shareEstimate([{ part: 0, whole: 100 }]).high).toBeCloseTo(0.0362, 3);
    expect(shareEstimate([{ part: 0, whole: 10_000 }]).high).toBeLessThan(0.0004);
    expect(shareEstimate([{ part: 0, whole: 0 }])).toEqual({ value: 0, low: 0, high: 1 });
  });
});
