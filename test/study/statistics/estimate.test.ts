import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../../src/core/random.ts';
import {
  fewestFor,
  quantile,
  quantileEstimate,
  spread,
  summary,
  tooFew,
} from '../../../src/study/statistics/estimate.ts';

/** The ranks that the interval takes, seen from outside: of 1, 2, …, n the r-th smallest is r. */
function ranks(n: number): { low: number; high: number; confident: boolean } {
  return summary(Array.from({ length: n }, (_, index) => index + 1));
}

/** Pr[Bin(n, ½) < r] as an exact fraction of 2^n. */
function tail(n: number, r: number): bigint {
  let below = 0n;
  let ways = 1n;
  for (let k = 0; k < r; k++) {
    below += ways;
    ways = (ways * BigInt(n - k)) / BigInt(k + 1);
  }
  return below;
}

/** 2·Pr[Bin(n, ½) < r] ≤ 5 %, without rounding. */
const isConfident = (n: number, r: number) => 40n * tail(n, r) <= 1n << BigInt(n);

describe('the 95 % interval of the median', () => {
  test('takes the largest rank r for which 2·Pr[Bin(n, ½) < r] is at most 5 %', () => {
    for (let n = 1; n <= 1_000; n = n < 60 ? n + 1 : n + 47) {
      let rank = 0;
      while (isConfident(n, rank + 1)) rank += 1;
      const found = ranks(n);
      expect(found.confident, `n = ${n}`).toBe(rank > 0);
      expect([found.low, found.high], `n = ${n}`).toEqual(rank > 0 ? [rank, n + 1 - rank] : [1, n]);
    }
  });

  test('has the ranks of the tables of the sign test (two-sided, 5 %)', () => {
    const published: Record<number, number> = {
      6: 1,
      8: 1,
      9: 2,
      10: 2,
      12: 3,
      15: 4,
      20: 6,
      25: 8,
      30: 10,
      50: 18,
      100: 40,
    };
    for (const [n, rank] of Object.entries(published)) expect(ranks(Number(n)).low, n).toBe(rank);
  });

  test('there is none below six values: the range is given instead, and not called confident', () => {
    for (let n = 1; n < 6; n++) expect(ranks(n)).toMatchObject({ low: 1, high: n, confident: false });
    expect(ranks(6)).toMatchObject({ low: 1, high: 6, confident: true });
  });

  // A thousand runs, which the scenario allows: 2^−n is 0 in a double from n = 1075 on.
  test('there is one however many values there are', () => {
    const found = ranks(1_100);
    expect(found.confident).toBe(true);
    expect(found.low).toBeGreaterThan(500);
  });

  test.each([6, 10, 25])('covers the true median in 93 to 98 of 100 repetitions, n = %i', (n) => {
    const promised = 1 - (2 * Number(tail(n, ranks(n).low))) / 2 ** n;
    const random = Random.seeded(2_026, n);
    let covered = 0;
    for (let repetition = 0; repetition < 2_000; repetition++) {
      // Skewed on purpose: the interval assumes nothing of the distribution.
      const { low, high } = summary(Array.from({ length: n }, () => random.exponential(1)));
      if (low <= Math.LN2 && Math.LN2 <= high) covered += 1;
    }
    expect(covered / 2_000).toBeGreaterThan(0.93);
    expect(covered / 2_000).toBeLessThan(0.985);
    expect(Math.abs(covered / 2_000 - promised)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / 2_000));
  });
});

describe('the 95 % interval of any quantile', () => {
  const REPETITIONS = 2_000;

  test.each([
    [0.5, 100],
    [0.9, 100],
    [0.95, 500],
    [0.05, 500],
  ])('covers the true one in 93 to 97 of 100 repetitions, p = %f, n = %i', (p, count) => {
    const truth = -Math.log(1 - p);
    const random = Random.seeded(11);
    let covered = 0;
    for (let repetition = 0; repetition < REPETITIONS; repetition++) {
      const { low, high } = quantileEstimate(
        Array.from({ length: count }, () => random.exponential(1)),
        p,
      );
      if (low <= truth && truth <= high) covered += 1;
    }
    expect(covered / REPETITIONS).toBeGreaterThan(0.93);
    expect(covered / REPETITIONS).toBeLessThan(0.97);
  });

  test('is there from 6, 72 and 368 values on, for 50, 95 and 99 %', () => {
    for (const [p, fewest] of [
      [0.5, 6],
      [0.95, 72],
      [0.99, 368],
      [0.05, 72],
    ] as const) {
      const values = (count: number) => Array.from({ length: count }, (_, index) => index);
      expect(fewestFor(p)).toBe(fewest);
      expect(quantileEstimate(values(fewest), p).confident).toBe(true);
      expect(quantileEstimate(values(fewest - 1), p).confident).toBe(false);
    }
  });
});

describe('a summary', () => {
  const values = fc.array(fc.double({ min: -1e9, max: 1e9, noNaN: true }), { minLength: 1, maxLength: 40 });

  test('does not depend on the order of the values and leaves them as they were', () => {
    fc.assert(
      fc.property(values, fc.nat(), (list, seed) => {
        const order = Random.seeded(seed).shuffle(Uint32Array.from(list.keys()));
        const shuffled = Array.from(order, (index) => list[index]!);
        const before = [...shuffled];
        expect(summary(shuffled)).toEqual(summary(list));
        expect(spread(shuffled)).toEqual(spread(list));
        expect(shuffled).toEqual(before);
      }),
    );
  });

  test('has half of the values on either side of its median, and the median within its interval', () => {
    fc.assert(
      fc.property(values, (list) => {
        const { count, median, low, high } = summary(list);
        expect(count).toBe(list.length);
        expect(list.filter((value) => value < median).length).toBeLessThanOrEqual(list.length / 2);
        expect(list.filter((value) => value > median).length).toBeLessThanOrEqual(list.length / 2);
        expect(low <= median && median <= high).toBe(true);
        expect(list).toContain(low);
        expect(list).toContain(high);
      }),
    );
  });

  test('sorts numbers as numbers', () => {
    expect(summary([100, 20, 3])).toEqual({ count: 3, median: 20, low: 3, high: 100, confident: false });
    expect(quantile([100, 20, 3], 0.5)).toBe(20);
  });
});

describe('quantiles', () => {
  const hundred = Array.from({ length: 1_000 }, (_, index) => index + 1);

  test('leave so many of the values below them', () => {
    for (const p of [0.025, 0.1, 0.5, 0.9, 0.99]) {
      const below = hundred.filter((value) => value < quantile(hundred, p)).length / hundred.length;
      expect(Math.abs(below - p)).toBeLessThanOrEqual(1 / hundred.length);
    }
    expect(quantile(hundred, 1)).toBe(1_000);
  });

  test('the spread holds the middle 95 % of the values', () => {
    const { low, high } = spread(hundred);
    const within = hundred.filter((value) => low <= value && value <= high).length;
    expect(Math.abs(within - 950)).toBeLessThanOrEqual(2);
  });
});

test('runs are too few for a quantile until it has an interval', () => {
  expect(tooFew(71, 0.95)).toBe(
    '71 runs are too few for a 95 % interval of the 95 % quantile, which needs 72',
  );
  expect(tooFew(1, 0.5)).toBe('1 run is too few for a 95 % interval of the median, which needs 6');
  expect(tooFew(72, 0.95)).toBeUndefined();
});
