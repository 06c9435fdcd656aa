import { describe, expect, test } from 'vitest';
import { geometricMigration, simGridMigration } from '../../src/model/closed-forms.ts';
import { linearCurve } from '../../src/model/curve.ts';
import { predictMigration } from '../../src/model/predictor.ts';

const MS = 1e6;
const SECOND = 1e9;
const MiB = 2 ** 20;
const GIGABIT = 125e6;

describe('SimGrid 3.32 moves a busy guest of 512 MiB over 1 Gbit/s', () => {
  test.each([
    [0, 4.51, 0.1],
    [0.25, 6.108, 21.5],
    [0.5, 9.467, 26.2],
    [0.9, 77.956, 29.8],
  ])('at an intensity of %d in %d s, with a downtime of %d ms', (intensity, seconds, downtimeMs) => {
    const { totalNs, downtimeNs } = simGridMigration(512 * MiB, GIGABIT, intensity)!;
    expect(Math.abs(totalNs / SECOND / seconds - 1)).toBeLessThan(0.01);
    expect(Math.abs(downtimeNs / MS - downtimeMs)).toBeLessThan(0.3);
  });

  test('and at an intensity of 1 never, because headers take 5 % of the link', () => {
    expect(simGridMigration(512 * MiB, GIGABIT, 1)).toBeNull();
  });
});

describe('a guest that dirties new memory at a constant rate', () => {
  /** 8 GiB over 1 Gbit/s, 650 Mbit/s dirtied; QEMU's limit of 300 ms. */
  const vep291 = {
    guestBytes: 8192 * MiB,
    rateBytesPerSecond: GIGABIT,
    dirtyBytesPerSecond: 650e6 / 8,
    workingSetBytes: Number.POSITIVE_INFINITY,
    limitNs: 300 * MS,
  };

  test('would take 13 rounds and 196 s where KubeVirt measured 69 and 112 s (VEP 291): so it is no model of that', () => {
    const { rounds, totalNs } = geometricMigration(vep291)!;
    expect(rounds).toBe(13);
    expect(totalNs / SECOND).toBeCloseTo(195.87, 1);
    expect(totalNs / SECOND / 112.4).toBeGreaterThan(1.5);
  });

  test('takes the rounds and the time that the model finds by going through them', () => {
    for (const [ratio, workingSet] of [
      [0.65, 2 ** 33],
      [0.2, 2 ** 33],
      [0.9, 2 ** 31],
      [0.99, 2 ** 30],
    ] as const) {
      const dirtyBytesPerSecond = ratio * GIGABIT;
      const closed = geometricMigration({ ...vep291, dirtyBytesPerSecond, workingSetBytes: workingSet })!;
      const { course } = predictMigration({
        pages: vep291.guestBytes / 4096,
        zeroPages: 0,
        pageSizeBytes: 4096,
        overheadBytes: 0,
        rateBytesPerSecond: GIGABIT,
        stopRateBytesPerSecond: GIGABIT,
        guest: {
          kind: 'curve',
          dirtyPages: linearCurve(dirtyBytesPerSecond / 4096, workingSet / 4096),
          isRandom: false,
        },
        stop: { rule: 'downtime', limitNs: vep291.limitNs },
        timeoutNs: null,
      });
      expect(course.rounds, `ratio ${ratio}`).toBe(closed.rounds);
      expect(course.downtimeNs! / closed.downtimeNs).toBeCloseTo(1, 6);
      expect(course.totalNs! / closed.totalNs).toBeCloseTo(1, 6);
    }
  });

  test('faster than the link never comes to an end, unless its working set is small enough from the start', () => {
    const faster = { ...vep291, dirtyBytesPerSecond: 2 * GIGABIT };
    expect(geometricMigration(faster)).toBeNull();
    expect(geometricMigration({ ...faster, dirtyBytesPerSecond: GIGABIT })).toBeNull();
    const small = geometricMigration({ ...faster, workingSetBytes: 10 * MiB })!;
    expect(small.rounds).toBe(1);
    expect(small.downtimeNs).toBeCloseTo((10 * MiB * SECOND) / GIGABIT, 3);
    expect(small.totalNs).toBeCloseTo((8202 * MiB * SECOND) / GIGABIT, 0);
  });

  test('is idle at rate 0: one round, no downtime', () => {
    const idle = geometricMigration({ ...vep291, dirtyBytesPerSecond: 0 });
    expect(idle).toEqual({ rounds: 1, downtimeNs: 0, totalNs: (8192 * MiB * SECOND) / GIGABIT });
  });
});
