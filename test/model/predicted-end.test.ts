import { describe, expect, test } from 'vitest';
import { pagesWithinLimit } from '../../src/model/predicted-course.ts';
import { type EndInput, predictEnd } from '../../src/model/predicted-end.ts';
import { autoConvergeDefaults, Throttle } from '../../src/model/throttle.ts';

/** 1 GiB at 32768 pages a second, at the first dirty sync after a pass of 8 s; limit 300 ms. */
const input = (dirtied: number, changes: Partial<EndInput['terms']> = {}): EndInput => ({
  state: { elapsedNs: 8e9, leftPages: dirtied, sinceLookNs: 0, throttlePercent: 0, highPeriods: 0 },
  terms: {
    pagesPerSecond: 32_768,
    thresholdPages: 9_830,
    totalPages: 262_144,
    autoConverge: null,
    ...changes,
  },
  points: [
    { exposureNs: 1e9, low: dirtied / 6, high: dirtied / 6 },
    { exposureNs: 8e9, low: dirtied, high: dirtied },
  ],
  stopRateBytesPerSecond: 1e9,
  bytesPerPage: 4104,
  withinNs: [10e9, 60e9],
  seed: 1,
});

describe('what is predicted', () => {
  test('a guest that dirties little ends soon, one that dirties faster than the link never does', () => {
    const calm = predictEnd(input(16_000));
    expect(calm.endsByItself).toBeGreaterThan(0.95);
    expect(calm.within[0]).toBeGreaterThan(0.95);
    const wild = predictEnd(input(240_000));
    expect(wild.endsByItself).toBeLessThan(0.05);
    expect(wild.totalNs).toBeNull();
  });

  // Its query-migrate says pages-per-second and mbps: 6400 at 24 MiB/s. At 12 Mbit/s a second flush begins within the limit.
  test('a limit of the bandwidth lets whole flushes of 32 pages pass, as QEMU 10 says of itself', () => {
    expect(pagesWithinLimit(24 * 2 ** 20, 4104)).toBe(6_400);
    expect(pagesWithinLimit(64 * 2 ** 20, 4104)).toBe(16_640);
    expect(pagesWithinLimit(1.5e6, 4104)).toBe(640);
  });

  test('what is dirtied again before it was sent is left once', () => {
    // Half of a working set is left at each look, and is written as often as the rest.
    const one = {
      ...input(20_000, { totalPages: 40_000 }),
      points: [{ exposureNs: 1e9, low: 9_000, high: 9_000 }],
    };
    const alone = predictEnd({ ...one, terms: { ...one.terms, totalPages: 4e9 } });
    expect(predictEnd(one).totalNs!.p50).toBeLessThan(alone.totalNs!.p50);
  });

  test('the downtime is that of what the limit allows to be left', () => {
    const { downtimeNs } = predictEnd(input(16_000));
    const most = (9_830 * 4104) / 1e9;
    expect(downtimeNs.p50).toBeLessThanOrEqual(most * 1e9);
    expect(downtimeNs.p5).toBeGreaterThan(0);
  });

  test('of a downtime that b_d alone leaves open, nine in ten lie between 0.54 and 1.86 of the median', () => {
    // All that is ever written is dirty at every look, so that each course leaves as much.
    const set = [0.1, 1, 8].map((seconds) => ({ exposureNs: seconds * 1e9, low: 5_000, high: 5_000 }));
    const one = input(5_000);
    const { downtimeNs } = predictEnd({ ...one, points: set, state: { ...one.state, leftPages: 5_000 } });
    expect(downtimeNs.p95 / downtimeNs.p50).toBeGreaterThan(1.5);
    expect(downtimeNs.p50 / downtimeNs.p5).toBeGreaterThan(1.5);
    expect(downtimeNs.p95 / downtimeNs.p5).toBeLessThan(6);
  });

  test('of pages of zeros, which may be the last ones, less may be left than a burst below the limit', () => {
    const one = { ...input(1_000), points: [{ exposureNs: 1e9, low: 100, high: 100 }] };
    const state = { ...one.state, leftPages: 100_000, sinceLookNs: 8e9 };
    const without = predictEnd({ ...one, state });
    const withZeros = predictEnd({ ...one, state: { ...state, zeroPages: 50_000 } });
    expect(withZeros.downtimeNs.p10).toBeLessThan(0.5 * without.downtimeNs.p10);
    expect(withZeros.downtimeNs.p90).toBeLessThanOrEqual(1.1 * without.downtimeNs.p90);
  });

  test('auto-converge ends what does not end by itself, later', () => {
    const without = predictEnd(input(120_000));
    const throttled = predictEnd(input(120_000, { autoConverge: autoConvergeDefaults }));
    expect(throttled.endsByItself).toBeGreaterThan(without.endsByItself + 0.2);
    expect(throttled.throttlePercent.p90).toBeGreaterThanOrEqual(20);
  });

  test('more is uncertain where points are only known to lie in an interval', () => {
    const known = input(60_000);
    const points = known.points.map(({ exposureNs, low }) => ({ exposureNs, low: low / 3, high: low * 3 }));
    const width = ({ totalNs }: ReturnType<typeof predictEnd>) => totalNs!.p90 - totalNs!.p10;
    expect(width(predictEnd({ ...known, points }))).toBeGreaterThan(1.5 * width(predictEnd(known)));
  });

  test('the same seed predicts the same', () => {
    expect(predictEnd(input(60_000))).toEqual(predictEnd(input(60_000)));
  });
});

// migration/ram.c: migration_trigger_throttle
describe('auto-converge', () => {
  test('throttles at the second period in which more than half of what was sent was dirtied', () => {
    const throttle = new Throttle(autoConvergeDefaults);
    throttle.look(2e9, 60, 100);
    expect(throttle.percent).toBe(0);
    throttle.look(2e9, 40, 100);
    throttle.look(2e9, 60, 100);
    expect(throttle.percent).toBe(20);
    for (let look = 0; look < 2; look++) throttle.look(2e9, 60, 100);
    expect(throttle.percent).toBe(30);
  });

  test('takes looks within a second together, and no more than there is', () => {
    const throttle = new Throttle(autoConvergeDefaults, 95, 1);
    throttle.look(5e8, 100, 100);
    expect(throttle.percent).toBe(95);
    throttle.look(5e8, 100, 100);
    expect(throttle.percent).toBe(99);
  });
});
