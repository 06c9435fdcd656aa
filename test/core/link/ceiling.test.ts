import { expect, test } from 'vitest';
import { ceilingAt, nextChangeNs, revokedWhy } from '../../../src/core/link/ceiling.ts';

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
