import { describe, expect, test } from 'vitest';
import { parseRate } from '../../../src/core/units.ts';
import { normalQuantile } from '../../../src/model/normal.ts';
import { rateText, readableRate, withBudget } from '../../../src/study/plan/choice.ts';
import { safeAmount } from '../../../src/study/plan/safe-amount.ts';

describe('the safe amount', () => {
  /** What a sample of a normal need has at its order statistics. */
  const edges = (deviation: number, sample: number, missed: number) => ({
    none: 1 + deviation * normalQuantile(1 - 0.7 / (sample + 0.4)),
    few: 1 + deviation * normalQuantile(1 - (missed + 0.7) / (sample + 0.4)),
    ...{ sample, missed },
  });

  test('leaves a hundredth of the misses that a target allows, whatever the size of the sample', () => {
    for (const [sample, missed] of [
      [400, 25],
      [50, 4],
    ] as const) {
      expect(safeAmount(edges(0.03, sample, missed), 0.99)).toBeCloseTo(1 + 0.03 * normalQuantile(0.9999), 6);
    }
  });

  test('is no more than what a tenth less would not keep', () => {
    const wide = safeAmount(edges(0.2, 400, 25), 0.99);
    expect(wide).toBeCloseTo(1.08 * (1 + 0.2 * normalQuantile(0.99)), 6);
  });
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

  test('of budgets are whole tens of microseconds within their period', () => {
    expect(withBudget({ budgetNs: 0, periodNs: 10e6 }, 1_234_567)).toEqual({
      budgetNs: 1_240_000,
      periodNs: 10e6,
    });
    expect(withBudget({ budgetNs: 0, periodNs: 10e6 }, 20e6)).toEqual({ budgetNs: 10e6, periodNs: 10e6 });
  });
});
