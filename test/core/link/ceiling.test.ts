import { expect, test } from 'vitest';
import { allowedRate, ceilingAt, nextChangeNs, revokedWhy } from '../../../src/core/link/ceiling.ts';

const ceilings = [
  { fromNs: 10, rateBytesPerSecond: 500, why: 'less' },
  { fromNs: 20, rateBytesPerSecond: 0, why: 'all gone' },
];

test('a ceiling holds from its instant to the next one', () => {
  expect([9, 10, 19, 20, 1e9].map((now) => ceilingAt(ceilings, now))).toEqual([
    Number.POSITIVE_INFINITY,
    500,
    500,
    0,
    0,
  ]);
  expect([9, 10, 20].map((now) => nextChangeNs(ceilings, now))).toEqual([10, 20, Number.POSITIVE_INFINITY]);
});

test('only a ceiling of nothing revokes, and says why', () => {
  expect([9, 19, 20].map((now) => revokedWhy(ceilings, now))).toEqual([undefined, undefined, 'all gone']);
});

test('a rate is never above what the link allows, also of a migration that asked for no rate', () => {
  expect([9, 10, 20].map((now) => allowedRate(null, ceilings, now))).toEqual([null, 500, null]);
  expect([9, 10, 20].map((now) => allowedRate(800, ceilings, now))).toEqual([800, 500, 800]);
  expect(allowedRate(300, ceilings, 10)).toBe(300);
});
