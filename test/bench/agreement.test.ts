import { expect, test } from 'vitest';
import { agreementOf } from '../../bench/agreement.ts';
import type { MigrationRecord } from '../../src/core/migration/record.ts';

const MS = 1e6;
const records = (...downtimesMs: readonly number[]) =>
  downtimesMs.map((ms) => ({ downtimeNs: ms * MS }) as MigrationRecord);
const downtimeNs = ({ downtimeNs }: MigrationRecord) => downtimeNs;
const tolerance = { part: 0.05, ns: 3 * MS };

test('a figure agrees up to a part of what was measured and a time', () => {
  const measured = records(90, 100, 110);
  const agrees = (virtualMs: number) =>
    agreementOf(measured, records(virtualMs), downtimeNs, tolerance).agrees;
  expect([91.9, 92, 100, 108, 108.1].map(agrees)).toEqual([false, true, true, true, false]);
});

test('an error is positive where virtual time is longer', () => {
  expect(agreementOf(records(100), records(104), downtimeNs, tolerance).errorNs).toBe(4 * MS);
});

test('of a quantile other than the median the range of what was measured is given, and no interval', () => {
  const measured = records(...Array.from({ length: 20 }, (_, index) => index + 1));
  const { median, low, high } = agreementOf(measured, records(1), downtimeNs, tolerance, 0.95).measured;
  expect([low, high]).toEqual([MS, 20 * MS]);
  expect(median).toBeGreaterThan(19 * MS);
  expect(median).toBeLessThan(20 * MS);
});
