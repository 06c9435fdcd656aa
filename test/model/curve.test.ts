import { expect, test } from 'vitest';
import { linearCurve, measuredCurve, saturatingCurve } from '../../src/model/curve.ts';

const SECOND = 1e9;

test('a measured curve is a line between its points, and goes on with its first and last slopes', () => {
  const curve = measuredCurve(
    [
      { periodNs: 1 * SECOND, pages: 100 },
      { periodNs: 2 * SECOND, pages: 180 },
      { periodNs: 4 * SECOND, pages: 240 },
    ],
    300,
  );
  const at = [0, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 7].map((seconds) => curve(seconds * SECOND));
  expect(at).toEqual([20, 60, 100, 140, 180, 210, 240, 270, 300, 300]);
});

test('a measured curve never falls below zero on its left', () => {
  const curve = measuredCurve(
    [
      { periodNs: 1 * SECOND, pages: 10 },
      { periodNs: 2 * SECOND, pages: 110 },
    ],
    1000,
  );
  expect(curve(0.5 * SECOND)).toBe(0);
  expect(curve(0.95 * SECOND)).toBeCloseTo(5);
});

test('a curve of one point, or of points out of order, is refused', () => {
  expect(() => measuredCurve([{ periodNs: 1, pages: 1 }], 10)).toThrow(RangeError);
  const backwards = [
    { periodNs: 2, pages: 1 },
    { periodNs: 1, pages: 2 },
  ];
  expect(() => measuredCurve(backwards, 10)).toThrow(RangeError);
});

test('a sequential writer dirties a new page with every write until its working set is through', () => {
  const curve = linearCurve(1000, 500);
  expect([0, 0.1, 0.5, 2].map((seconds) => curve(seconds * SECOND))).toEqual([0, 100, 500, 500]);
});

test('a random writer starts at the same rate and never dirties all of its working set', () => {
  const curve = saturatingCurve(1000, 500);
  expect(curve(0.001 * SECOND)).toBeCloseTo(1, 2);
  expect(curve(0.5 * SECOND)).toBeCloseTo(500 * (1 - Math.exp(-1)), 9);
  expect(curve(3 * SECOND)).toBeGreaterThan(498);
  expect(curve(3 * SECOND)).toBeLessThan(500);
});
