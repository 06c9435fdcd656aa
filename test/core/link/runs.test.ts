import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DepartureRun, fullBucket, reserveRow, reserveRun } from '../../../src/core/link/bucket.ts';
import { Conformance } from '../../../src/core/link/conformance.ts';
import { RunWindows } from '../../../src/core/link/run-windows.ts';
import { DepartureWindows } from '../../../src/core/link/windows.ts';

/** The instants of runs, each rounded up to whole nanoseconds. */
function instantsOf(runs: readonly DepartureRun[]): number[] {
  return runs.flatMap(({ count, firstNs, gapNs }) =>
    Array.from({ length: count }, (_, index) => firstNs + index * gapNs),
  );
}

const rows = fc.record({
  rate: fc.integer({ min: 1_000, max: 20_000_000_000 }),
  bytes: fc.integer({ min: 16, max: 70_000 }),
  portions: fc.integer({ min: 1, max: 200 }),
  counts: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 4 }),
  idleNs: fc.integer({ min: 0, max: 1_000_000 }),
});

describe('portions that leave in runs', () => {
  test('leave when they would one by one, to a nanosecond, and leave the same bucket behind', () => {
    fc.assert(
      fc.property(rows, ({ rate, bytes, portions, counts, idleNs }) => {
        let single = fullBucket(rate, bytes * portions, 0);
        let runwise = single;
        let now = 0;
        for (const count of counts) {
          const instants = new Float64Array(count);
          single = reserveRow(single, now, bytes, instants);
          const { runs, next } = reserveRun(runwise, now, bytes, count);
          runwise = next;
          expect(runwise).toEqual(single);
          expect(runs.at(-1)!.lastNs).toBe(instants.at(-1));
          const told = instantsOf(runs);
          expect(told.length).toBe(count);
          // A bucket of one portion flows over again and again, so that its portions leave later and later.
          if (portions > 1) {
            const off = told.map((atNs, index) => Math.abs(atNs - instants[index]!));
            expect(Math.max(...off)).toBeLessThanOrEqual(1.001);
          }
          now = instants.at(-1)! + idleNs;
        }
      }),
    );
  });

  test('are accounted for as those that are told one by one, to the bytes of a nanosecond and a portion', () => {
    fc.assert(
      fc.property(rows, ({ rate, bytes, portions, counts, idleNs }) => {
        fc.pre(portions > 1);
        const lengthsNs = [10, 1_000_000, 50_000_000];
        let bucket = fullBucket(rate, bytes * portions, 0);
        const [single, runwise] = [
          new Conformance(bytes * portions, 0),
          new Conformance(bytes * portions, 0),
        ];
        const [windows, runWindows] = [new DepartureWindows(lengthsNs), new RunWindows(lengthsNs)];
        let now = 0;
        for (const count of counts) {
          const instants = new Float64Array(count);
          const after = reserveRow(bucket, now, bytes, instants);
          single.departedRow(instants, bytes, rate);
          windows.departedRow(instants, bytes);
          for (const run of reserveRun(bucket, now, bytes, count).runs) {
            runwise.departedRun(run, bytes, rate);
            runWindows.departed(run, bytes);
          }
          bucket = after;
          now = instants.at(-1)! + idleNs;
        }
        expect(runwise.sentBytes).toBe(single.sentBytes);
        expect(Math.abs(runwise.largestRiseBytes - single.largestRiseBytes)).toBeLessThanOrEqual(
          (2 * rate) / 1e9 + 1e-3,
        );
        for (const [index, most] of runWindows.mostBytes.entries()) {
          const nanosecond = Math.ceil((2 * rate) / 1e9 / bytes) * bytes;
          expect(Math.abs(most - windows.mostBytes[index]!)).toBeLessThanOrEqual(bytes + nanosecond);
        }
      }),
    );
  });
});
