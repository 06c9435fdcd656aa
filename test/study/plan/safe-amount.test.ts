import { describe, expect, test } from 'vitest';
import { parseRate } from '../../../src/core/units.ts';
import { normalQuantile } from '../../../src/model/normal.ts';
import { rateText, readableRate, withBudget } from '../../../src/study/plan/choice.ts';
import { countsOf, type Edges, safeAmount } from '../../../src/study/plan/safe-amount.ts';
import { leastShare } from '../../../src/study/statistics/kept-share.ts';

describe('the safe amount', () => {
  /** What a sample of a normal need has at its order statistics. */
  const edges = (deviation: number, sample: number, q: number): Edges => {
    const { few, many } = countsOf(q, sample);
    const at = (missed: number) => ({
      missed,
      amount: 1 + deviation * normalQuantile(1 - (missed + 0.7) / (sample + 0.4)),
    });
    return { sample, fewest: at(0), few: at(few), many: at(many) };
  };

  test('leaves three hundredths of the misses that a target allows, whatever the size of the sample', () => {
    for (const [sample, q] of [
      [400, 0.99],
      [200, 0.95],
      [50, 0.9],
    ] as const) {
      const aimed = 1 + 0.02 * normalQuantile(1 - 0.03 * (1 - q));
      expect(safeAmount(edges(0.02, sample, q), q)).toBeCloseTo(aimed, 6);
    }
  });

  test('is no more than what a tenth less would be seen to miss, where needs are spread widely', () => {
    const wide = edges(0.08, 400, 0.99);
    const amount = safeAmount(wide, 0.99);
    expect(0.9 * amount).toBeLessThan(wide.many.amount);
    expect(amount).toBeGreaterThanOrEqual(wide.few.amount);
  });

  test('is still what a certificate asks for, where needs are spread more widely than both allow', () => {
    const wider = edges(0.5, 400, 0.99);
    expect(safeAmount(wider, 0.99)).toBe(wider.few.amount);
  });

  test('is what was enough, where fewer are missed with no amount', () => {
    const missed = 30;
    const stuck = { missed, amount: 1.2 };
    expect(safeAmount({ sample: 200, fewest: stuck, few: stuck, many: stuck }, 0.9)).toBeCloseTo(1.2, 9);
  });
});

test('so many misses are called many that another sample of 200 keeps the target in fewer than one case of twelve', () => {
  for (const q of [0.9, 0.95, 0.99]) {
    const share = countsOf(q, 100_000).many / 100_000;
    // Pr[Bin(200, share) ≤ what q allows], by the bound that a sample gives.
    const allowed = Math.floor((1 - q) * 200 + 1e-9);
    expect(leastShare(200 - allowed, 200, 0.08)).toBeGreaterThan(1 - share);
  }
});

describe('amounts that people read', () => {
  test('have three digits, and are read as they are written', () => {
    for (const rate of [7_162_431, 1e6, 12_345, 999_999_999, 131_072]) {
      const readable = readableRate(rate);
      expect(readable).toBeGreaterThanOrEqual(rate);
      expect(readable / rate).toBeLessThan(1.011);
      expect(parseRate(rateText(readable))).toBe(readable);
    }
    expect(rateText(readableRate(7_162_431))).toBe('57.3Mbit/s');
  });

  test('of budgets have three digits within their period, and are no less than the kernel grants', () => {
    expect(withBudget({ budgetNs: 0, periodNs: 10e6 }, 1_234_567)).toEqual({
      budgetNs: 1_240_000,
      periodNs: 10e6,
    });
    expect(withBudget({ budgetNs: 0, periodNs: 10e6 }, 20e6)).toEqual({ budgetNs: 10e6, periodNs: 10e6 });
    expect(withBudget({ budgetNs: 0, periodNs: 10e6 }, 43_217).budgetNs).toBe(43_300);
    expect(withBudget({ budgetNs: 0, periodNs: 10e6 }, 0).budgetNs).toBe(1030);
  });
});
