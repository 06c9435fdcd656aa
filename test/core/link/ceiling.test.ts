import { expect, test } from 'vitest';
import {
  allowedRate,
  ceilingAt,
  isOutage,
  nextChangeNs,
  outageEndNs,
  revokedWhy,
} from '../../../src/core/link/ceiling.ts';

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

test('an outage revokes nothing, and ends with the next ceiling that is none', () => {
  const out = { rateBytesPerSecond: 0, isOutage: true, why: '' };
  const story = [{ fromNs: 5, ...out }, { fromNs: 8, ...out }, ...ceilings];
  expect([4, 5, 9, 10, 20].map((now) => isOutage(story, now))).toEqual([false, true, true, false, false]);
  expect([4, 5, 9, 10].map((now) => outageEndNs(story, now))).toEqual([4, 10, 10, 10]);
  expect(outageEndNs([{ fromNs: 5, ...out }], 7)).toBe(Number.POSITIVE_INFINITY);
  expect([5, 9].map((now) => revokedWhy(story, now))).toEqual([undefined, undefined]);
});

test('a rate is never above what the link allows, also of a migration that asked for no rate', () => {
  expect([9, 10, 20].map((now) => allowedRate(null, ceilings, now))).toEqual([null, 500, null]);
  expect([9, 10, 20].map((now) => allowedRate(800, ceilings, now))).toEqual([800, 500, 800]);
  expect(allowedRate(300, ceilings, 10)).toBe(300);
});
