import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LineBudget } from '../../src/daemon/line-budget.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

test('so many lines a second are written, and of the others only how many they were', () => {
  const omitted: number[] = [];
  const budget = new LineBudget(20, (lines) => omitted.push(lines));
  const written = (lines: number) =>
    Array.from({ length: lines }, () => budget.take()).filter(Boolean).length;
  expect(written(500)).toBe(20);
  vi.advanceTimersByTime(1_000);
  expect(omitted).toEqual([480]);
  expect(written(20)).toBe(20);
  vi.advanceTimersByTime(1_000);
  expect(omitted).toEqual([480]);
  expect(written(1)).toBe(1);
});
