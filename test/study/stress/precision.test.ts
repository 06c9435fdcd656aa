import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MigrationRecord } from '../../../src/core/migration/record.ts';
import {
  FEWEST_RUNS,
  isLookedAt,
  type Precision,
  parsePrecision,
  reached,
} from '../../../src/study/stress/precision.ts';

const recordsOf = (downtimesNs: readonly number[], outcome = 'completed') =>
  downtimesNs.map((downtimeNs) => ({ outcome, downtimeNs }) as MigrationRecord);

const downtime = (halfWidth: number): Precision => ({ text: '', metric: 'downtime', halfWidth });

/** Pr[Bin(n, 1/2) < r], summed term by term in whole numbers. */
function below(n: number, r: number): number {
  let choices = 1n;
  let sum = 0n;
  for (let k = 0; k < r; k++) {
    sum += choices;
    choices = (choices * BigInt(n - k)) / BigInt(k + 1);
  }
  return Number((sum * 10n ** 18n) / 2n ** BigInt(n)) / 1e18;
}

/** The same interval by trying every rank. */
function bruteInterval(values: readonly number[]): { low: number; high: number } | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  let rank = 0;
  while (rank < sorted.length && below(sorted.length, rank + 1) <= 0.025) rank += 1;
  if (rank === 0) return undefined;
  return { low: sorted[rank - 1]!, high: sorted[sorted.length - rank]! };
}

describe('a precision', () => {
  test.each(['downtime±5%', 'downtime+-5%', ' downtime ± 5 % '])('is read from %s', (text) => {
    expect(parsePrecision(text)).toEqual({ text: 'downtime ±5 %', metric: 'downtime', halfWidth: 0.05 });
  });

  test.each([
    'downtime',
    'downtme±5%',
    'downtime±0%',
    'downtime±5ms',
    'downtime±101%',
    '±5%',
    'p95(downtime)±5%',
  ])('is not read from %s', (text) => {
    expect(parsePrecision(text)).toEqual({ expected: expect.stringContaining('such as downtime±5%') });
  });

  test('is reached exactly when half of the interval, tried rank by rank, is that share of the median', () => {
    const value = fc.oneof(fc.integer({ min: 1, max: 1_000 }), fc.integer({ min: 400, max: 500 }));
    const values = fc.array(value, { minLength: 1, maxLength: 100 });
    let isTrue = 0;
    fc.assert(
      fc.property(values, fc.double({ min: 0.01, max: 1, noNaN: true }), (all, share) => {
        const interval = bruteInterval(all);
        const sorted = all.toSorted((one, other) => one - other);
        const middle = sorted.length / 2;
        const median =
          sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
        const expected = interval !== undefined && (interval.high - interval.low) / 2 / median <= share;
        const found = reached(downtime(share), recordsOf(all));
        if (expected) isTrue += 1;
        expect(found.isReached).toBe(expected);
        if (interval) expect(found.halfWidth).toBeCloseTo((interval.high - interval.low) / 2 / median, 12);
        else expect(found.halfWidth).toBe(Number.POSITIVE_INFINITY);
      }),
      { numRuns: 500, seed: 1 },
    );
    expect(isTrue).toBeGreaterThan(30);
  });

  test('of runs that are all the same is reached, also if all are 0, once there are enough for an interval', () => {
    for (const value of [0, 12]) {
      const same = (runs: number) => recordsOf(Array.from({ length: runs }, () => value));
      expect(reached(downtime(0.01), same(FEWEST_RUNS - 1)).isReached).toBe(false);
      expect(reached(downtime(0.01), same(FEWEST_RUNS)).isReached).toBe(true);
    }
  });

  test('is never reached where most migrations fail, or none has the figure', () => {
    const failed = [...recordsOf([1, 1, 1]), ...recordsOf(Array(9).fill(1), 'failed')];
    expect(reached(downtime(1), failed)).toMatchObject({ isReached: false, halfWidth: Infinity });
    expect(reached(downtime(1), [])).toEqual({ estimate: undefined, isReached: false, halfWidth: Infinity });
  });

  test('of a share counts it over all runs', () => {
    const runs = (failed: number, all: number) => [
      ...recordsOf(Array(failed).fill(1), 'failed'),
      ...recordsOf(Array(all - failed).fill(1)),
    ];
    const failures = { text: '', metric: 'failures', halfWidth: 0.25 } as const;
    expect(reached(failures, runs(3, 10)).isReached).toBe(false);
    expect(reached(failures, runs(300, 1_000)).isReached).toBe(true);
    expect(reached(failures, runs(0, 1_000)).isReached).toBe(false);
  });
});

test('a row is looked at after the least runs, and then whenever it has a tenth more', () => {
  const looks = (least: number, most: number) =>
    Array.from({ length: most }, (_, index) => index + 1).filter((runs) => isLookedAt(runs, least));
  expect(looks(6, 25)).toEqual([6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 21, 24]);
  const far = looks(6, 10_000);
  for (const [index, runs] of far.slice(1).entries()) expect(runs).toBe(Math.ceil(far[index]! * 1.1));
  expect(far.length).toBeLessThan(90);
});
