import { describe, expect, test } from 'vitest';
import type { MigrationRecord } from '../../../src/core/migration/record.ts';
import { judge, parseThreshold, type Threshold } from '../../../src/study/stress/threshold.ts';

const threshold = (text: string) => parseThreshold(text) as Threshold;
const record = (downtimeNs: number, more: object = {}) =>
  ({
    outcome: 'completed',
    downtimeNs,
    servers: [],
    outage: { longestGapNs: 2 * downtimeNs, heartbeats: 100, lateHeartbeats: 1, lostHeartbeats: 0 },
    ...more,
  }) as unknown as MigrationRecord;
const records = (...downtimesMs: number[]) => downtimesMs.map((ms) => record(ms * 1e6));

describe('a threshold', () => {
  test.each([
    ['downtime p95 < 300ms', { metric: 'downtime', quantile: 0.95, limit: 300e6 }],
    ['downtime<0.3s', { metric: 'downtime', quantile: 0.5, limit: 300e6 }],
    ['outage max < 1 s', { metric: 'outage', quantile: 1, limit: 1e9 }],
    ['total p99.9 < 2min', { metric: 'total', quantile: 0.999, limit: 120e9 }],
    ['missedPeriods < 0.5%', { metric: 'missedPeriods', quantile: undefined, limit: 0.005 }],
    ['lateFrames < 10 %', { metric: 'lateFrames', quantile: undefined, limit: 0.1 }],
  ])('is text: %s', (text, parsed) => {
    expect(parseThreshold(text)).toMatchObject(parsed);
  });

  test.each([
    ['downtme < 3s', /METRIC being one of downtime, total/],
    ['downtime > 3s', /METRIC/],
    ['downtime < 3', /a time such as/],
    ['downtime < 0ms', /above 0/],
    ['downtime p0 < 3ms', /above p0/],
    ['missedPeriods p95 < 1%', /counted over all runs/],
    ['missedPeriods < 101%', /a share such as/],
    ['missedPeriods < 3ms', /a share such as/],
    ['downtime p95 < constructor', /a time such as/],
    ['constructor < 3ms', /METRIC/],
  ])('%s is none, and it is said why', (text, expected) => {
    expect((parseThreshold(text) as { expected: string }).expected).toMatch(expected);
  });

  test.each([
    ['kept', [10, 11, 12, 13, 14, 15]],
    ['likely kept', [10, 11, 12, 13, 14, 25]],
    ['likely missed', [10, 21, 22, 23, 24, 25]],
    ['missed', [20, 21, 22, 23, 24, 25]],
  ])('is %s according to where its interval lies', (verdict, downtimes) => {
    expect(judge(threshold('downtime < 20ms'), records(...downtimes))?.verdict).toBe(verdict);
  });

  test('on the largest is about these runs, so that it is certain', () => {
    expect(judge(threshold('downtime max < 20ms'), records(1, 19))?.verdict).toBe('kept');
    expect(judge(threshold('downtime max < 20ms'), records(1, 20))?.verdict).toBe('missed');
  });

  test('is missed by migrations that never completed', () => {
    const failed = Array.from({ length: 6 }, () => record(0, { outcome: 'not-converged' }));
    expect(judge(threshold('downtime < 1h'), failed)?.verdict).toBe('missed');
    expect(judge(threshold('failures < 1%'), failed)?.verdict).toBe('missed');
  });

  test('on reservations is not judged where none was made', () => {
    expect(judge(threshold('missedPeriods < 1%'), records(1, 2))).toBeUndefined();
    expect(judge(threshold('blackout < 1ms'), records(1, 2))).toBeUndefined();
  });
});
