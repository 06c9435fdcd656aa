import { expect, test } from 'vitest';
import { curveOfClasses, fitDirtyCurve } from '../../src/model/dirty-curve-fit.ts';

const exposures = [0.1, 0.3, 1, 3, 10, 30].map((seconds) => seconds * 1e9);

test('a curve of classes is found again, hot pages that saturate and slow ones together', () => {
  const truth = curveOfClasses([
    { pages: 50_000, writesPerSecond: 8 },
    { pages: 200_000, writesPerSecond: 0.01 },
  ]);
  const fit = fitDirtyCurve(
    exposures.map((exposureNs) => ({ exposureNs, pages: truth(exposureNs) })),
    1e6,
  )!;
  expect(fit.error).toBeLessThan(0.01);
  for (const between of [0.2e9, 2e9, 20e9]) expect(fit.curve(between) / truth(between)).toBeCloseTo(1, 1);
});

test('no more pages are dirtied than there are', () => {
  const fit = fitDirtyCurve([{ exposureNs: 1e9, pages: 900 }], 1_000)!;
  expect(fit.curve(1e15)).toBeLessThanOrEqual(1_000);
  expect(fit.curve(1e9)).toBeGreaterThan(850);
});

test('of points at one exposure the median counts, and their spread is told', () => {
  const pages = [80, 90, 100, 100, 100, 110, 120, 1, 100, 100];
  const fit = fitDirtyCurve(
    pages.map((one) => ({ exposureNs: 1e9, pages: one })),
    1e6,
  )!;
  expect(fit.curve(1e9) / 100).toBeCloseTo(1, 1);
  expect(fit.error).toBeLessThan(0.03);
  expect(fit.spread.low).toBeLessThan(0.9);
  expect(fit.spread.high).toBeGreaterThan(1.1);
});

test('of nothing there is no fit', () => {
  expect(fitDirtyCurve([], 100)).toBeUndefined();
  expect(fitDirtyCurve([{ exposureNs: 1e9, pages: 0 }], 100)).toBeUndefined();
});
