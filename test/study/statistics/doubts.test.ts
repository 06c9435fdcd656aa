import { describe, expect, test } from 'vitest';
import type { ServerRecord } from '../../../src/core/cpu/server-record.ts';
import { noiseExplains, noiseOf, tooFew, worldsDisagree } from '../../../src/study/statistics/doubts.ts';

test('runs are too few for a quantile until it has an interval', () => {
  expect(tooFew(71, 0.95)).toBe(
    '71 runs are too few for a 95 % interval of the 95 % quantile, which needs 72',
  );
  expect(tooFew(1, 0.5)).toBe('1 run is too few for a 95 % interval of the median, which needs 6');
  expect(tooFew(72, 0.95)).toBeUndefined();
});

describe('two worlds', () => {
  const virtually = Array.from({ length: 200 }, (_, index) => 300 + index / 10);

  test('agree while the measured median lies among the virtual runs', () => {
    expect(worldsDisagree([305, 310, 290], virtually)).toBeUndefined();
    expect(worldsDisagree([], virtually)).toBeUndefined();
  });

  test('disagree when it lies where virtual time hardly ever is', () => {
    expect(worldsDisagree([330, 335, 331], virtually)).toMatchObject({ measuredMedian: 331 });
    expect(worldsDisagree([620, 620], virtually)!.ratio).toBeCloseTo(2, 1);
  });
});

describe('noise of the machine', () => {
  const server = (missedByMachine: number): ServerRecord => ({
    name: 'guest',
    budgetNs: 1,
    periodNs: 2,
    servedNs: 1,
    shareErrorPerPeriod: null,
    shareErrorPerTenPeriods: null,
    shareErrorPerSecond: null,
    missedPeriods: missedByMachine + 1,
    missedByMachine,
    periods: 10,
    longestBlackoutNs: 1,
  });
  const run = (downtimeNs: number, missedByMachine = 0) => ({
    downtimeNs,
    servers: [server(missedByMachine)],
  });
  const quiet = Array.from({ length: 20 }, (_, index) => run(100 + (index % 5)));

  test('is counted run by run and period by period', () => {
    expect(noiseOf([run(1, 3), run(1), run(1, 1)])).toEqual({
      noisyRuns: 2,
      runs: 3,
      missedPeriods: 7,
      missedByMachine: 4,
    });
  });

  test('explains a difference that is gone without the noisy runs', () => {
    const noisy = [...quiet.slice(0, 8), ...Array.from({ length: 12 }, () => run(150, 2))];
    const found = noiseExplains(quiet, noisy, ({ downtimeNs }) => downtimeNs);
    expect(found).toMatchObject({ withAll: { certain: true }, withoutNoisy: { certain: false } });
  });

  test('does not explain one that stays', () => {
    const slower = quiet.map(({ downtimeNs }, index) => run(downtimeNs + 50, index < 3 ? 1 : 0));
    expect(noiseExplains(quiet, slower, ({ downtimeNs }) => downtimeNs)).toBeUndefined();
    expect(noiseExplains(quiet, quiet, ({ downtimeNs }) => downtimeNs)).toBeUndefined();
  });
});
