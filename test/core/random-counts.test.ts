import { describe, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { binomial, hypergeometric, sampleOfKinds } from '../../src/core/random-counts.ts';

const DRAWS = 20_000;

/** ln n!, added up. */
function logFactorials(most: number): Float64Array {
  const sums = new Float64Array(most + 1);
  for (let n = 1; n <= most; n++) sums[n] = sums[n - 1]! + Math.log(n);
  return sums;
}
const factorials = logFactorials(5_000);
const logChoose = (n: number, k: number) => factorials[n]! - factorials[k]! - factorials[n - k]!;

/**
 * Pearson's χ² of draws against probabilities, outcomes of fewer than ten put together, as standard deviations above what is
 * expected: (χ² − ν)/√2ν.
 */
function excess(draw: () => number, probability: (count: number) => number, most: number): number {
  const seen = new Float64Array(most + 1);
  for (let i = 0; i < DRAWS; i++) seen[draw()]! += 1;
  let chiSquare = 0;
  let freedom = -1;
  let [rareSeen, rareExpected] = [0, 0];
  for (let count = 0; count <= most; count++) {
    const expected = DRAWS * probability(count);
    rareSeen += seen[count]!;
    rareExpected += expected;
    if (rareExpected < 10) continue;
    chiSquare += (rareSeen - rareExpected) ** 2 / rareExpected;
    freedom += 1;
    [rareSeen, rareExpected] = [0, 0];
  }
  return (chiSquare - freedom) / Math.sqrt(2 * freedom);
}

describe('a binomial count', () => {
  test.each([
    [5, 0.3],
    [40, 0.05],
    [40, 0.97],
    [60, 0.5],
    [300, 0.2],
    [5_000, 0.001],
    [5_000, 0.01],
    [5_000, 0.7],
  ])('of %i trials with probability %d falls as it should', (trials, p) => {
    const random = Random.seeded(1);
    const exactly = (k: number) =>
      Math.exp(logChoose(trials, k) + k * Math.log(p) + (trials - k) * Math.log1p(-p));
    expect(excess(() => binomial(random, trials, p), exactly, trials)).toBeLessThan(4);
  });

  test('is none or all where nothing is left to chance', () => {
    const random = Random.seeded(1);
    expect([binomial(random, 0, 0.5), binomial(random, 7, 0), binomial(random, 7, 1)]).toEqual([0, 0, 7]);
  });

  test('of hundreds of millions has its mean and its variance', () => {
    const random = Random.seeded(2);
    const [trials, p] = [268_435_456, 0.0037];
    const draws = Array.from({ length: 4_000 }, () => binomial(random, trials, p) - trials * p);
    const variance = trials * p * (1 - p);
    const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
    expect(Math.abs(mean)).toBeLessThan(4 * Math.sqrt(variance / draws.length));
    const squares = draws.reduce((sum, value) => sum + value ** 2, 0) / draws.length / variance;
    expect(Math.abs(squares - 1)).toBeLessThan(4 * Math.sqrt(2 / draws.length));
  });
});

describe('a hypergeometric count', () => {
  test.each([
    [3, 5, 4],
    [30, 50, 4],
    [3, 500, 60],
    [40, 60, 50],
    [200, 100, 60],
    [200, 100, 250],
    [1_500, 2_500, 700],
    [2_500, 500, 2_000],
  ])('of %i marked and %i others in a sample of %i falls as it should', (marked, others, sample) => {
    const random = Random.seeded(3);
    const exactly = (k: number) =>
      k > Math.min(marked, sample) || sample - k > others
        ? 0
        : Math.exp(logChoose(marked, k) + logChoose(others, sample - k) - logChoose(marked + others, sample));
    expect(excess(() => hypergeometric(random, marked, others, sample), exactly, sample)).toBeLessThan(4);
  });

  test('of hundreds of millions has its mean and its variance', () => {
    const random = Random.seeded(4);
    const [marked, others, sample] = [1_000_000, 267_435_456, 100_000_000];
    const all = marked + others;
    const mean = (sample * marked) / all;
    const variance = (mean * (others / all) * (all - sample)) / (all - 1);
    const draws = Array.from({ length: 4_000 }, () => hypergeometric(random, marked, others, sample) - mean);
    const average = draws.reduce((sum, value) => sum + value, 0) / draws.length;
    expect(Math.abs(average)).toBeLessThan(4 * Math.sqrt(variance / draws.length));
    const squares = draws.reduce((sum, value) => sum + value ** 2, 0) / draws.length / variance;
    expect(Math.abs(squares - 1)).toBeLessThan(4 * Math.sqrt(2 / draws.length));
  });
});

describe('a sample of several kinds', () => {
  test('has as many as were asked for, and of no kind more than there are', () => {
    const random = Random.seeded(5);
    for (let sample = 0; sample <= 60; sample++) {
      const counts = [10, 0, 25, 15];
      const taken = sampleOfKinds(random, counts, sample);
      expect(taken.reduce((sum, count) => sum + count, 0)).toBe(Math.min(50, sample));
      expect(taken.every((count, kind) => count >= 0 && count <= counts[kind]!)).toBe(true);
    }
  });
});
