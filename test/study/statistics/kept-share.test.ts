import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/core/random.ts';
import { leastShare, looksAt } from '../../../src/study/statistics/kept-share.ts';

describe('the lower bound of a share', () => {
  test('is Clopper and Pearson’s', () => {
    // All kept: α^(1/n). One of 10 kept: 1 − 0.95^(1/10).
    expect(leastShare(299, 299, 0.05)).toBeCloseTo(0.05 ** (1 / 299), 10);
    expect(leastShare(1, 10, 0.05)).toBeCloseTo(1 - 0.95 ** (1 / 10), 10);
    // Tables of the beta distribution: 198 of 200, and 95 of 100.
    expect(leastShare(198, 200, 0.05)).toBeCloseTo(0.96886, 5);
    expect(leastShare(95, 100, 0.025)).toBeCloseTo(0.8872, 4);
    expect(leastShare(0, 5, 0.05)).toBe(0);
  });
});

describe('looks at a growing sample', () => {
  test('ask for as many runs as the bound needs, and spend α in all', () => {
    const looks = looksAt(0.99, 0.05);
    for (const { runs, missed, alpha } of looks) {
      expect(leastShare(runs - missed, runs, alpha)).toBeGreaterThanOrEqual(0.99 - 1e-9);
      expect(leastShare(runs - 1 - missed, runs - 1, alpha)).toBeLessThan(0.99);
    }
    expect(looks.reduce((sum, { alpha }) => sum + alpha, 0)).toBeLessThan(0.05);
  });

  test('certify a share that is just too small in no more than α of all samples', () => {
    const random = Random.seeded(3);
    const looks = looksAt(0.95, 0.05);
    let certified = 0;
    for (let sample = 0; sample < 4_000; sample++) {
      let runs = 0;
      let missed = 0;
      for (const look of looks) {
        for (; runs < look.runs; runs++) missed += random.uniform() < 0.95 ? 0 : 1;
        if (missed > look.missed) continue;
        certified += 1;
        break;
      }
    }
    expect(certified / 4_000).toBeLessThan(0.055);
    expect(certified / 4_000).toBeGreaterThan(0.02);
  });
});
