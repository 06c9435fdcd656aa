import { expect, test } from 'vitest';
import { dirtyAfter } from '../../../../src/core/migration/order/objective.ts';
import { dirtyInRun, runsOf } from '../../../../src/core/migration/order/runs.ts';

test('a run costs the sum over its pages, from rates far below to far above one write a slot', () => {
  for (const rate of [0, 1e-16, 1e-12, 1e-9, 1e-7, 1e-5, 1e-3, 0.1, 1, 30, Number.POSITIVE_INFINITY]) {
    for (const [lowest, pages] of [
      [1, 1],
      [1, 2],
      [7, 1000],
      [5000, 300],
    ] as const) {
      let sum = 0;
      for (let exposure = lowest; exposure < lowest + pages; exposure++) sum += dirtyAfter(rate, exposure);
      const run = dirtyInRun(rate, lowest, pages);
      expect(Math.abs(run - sum)).toBeLessThanOrEqual(1e-9 * sum);
    }
  }
});

test('without tolerance only equal rates share a run', () => {
  const runs = runsOf(
    Float64Array.of(0, 0, 1e-9, 2e-9, 2e-9, 3, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY),
    0,
  );
  expect([...runs.starts]).toEqual([0, 2, 3, 5, 6, 8]);
  expect([...runs.rates]).toEqual([0, 1e-9, 2e-9, 3, Number.POSITIVE_INFINITY]);
});

test('with a tolerance a run ends where a rate exceeds its first by more, and keeps its mean', () => {
  const runs = runsOf(Float64Array.of(1, 1.05, 1.1, 1.12, 2), 0.1);
  expect([...runs.starts]).toEqual([0, 3, 4, 5]);
  expect(runs.rates[0]).toBeCloseTo(1.05, 12);
});

test('no pages are no runs', () => {
  expect([...runsOf(new Float64Array(0), 0).starts]).toEqual([0]);
});
