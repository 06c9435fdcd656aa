import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fullBucket, reserve, reserveRow } from '../../../src/core/link/bucket.ts';
import { Conformance } from '../../../src/core/link/conformance.ts';
import { DepartureWindows } from '../../../src/core/link/windows.ts';

/** Portions of `bytes` that left, one at each of these instants. */
interface Row {
  readonly instants: Float64Array;
  readonly bytes: number;
}

function mostBytes(lengthsNs: readonly number[], rows: readonly Row[], mostKept?: number): readonly number[] {
  const windows = new DepartureWindows(lengthsNs, mostKept);
  for (const { instants, bytes } of rows) windows.departedRow(instants, bytes);
  return windows.mostBytes;
}

/** The definition: of all windows that begin at a departure, the one with the most bytes. */
function byDefinition(lengthNs: number, rows: readonly Row[]): number {
  const sent = rows.flatMap(({ instants, bytes }) => Array.from(instants, (atNs) => ({ atNs, bytes })));
  const sums = sent.map((first, index) => {
    let sum = 0;
    for (let last = index; last < sent.length && sent[last]!.atNs - first.atNs <= lengthNs; last++) {
      sum += sent[last]!.bytes;
    }
    return sum;
  });
  return Math.max(0, ...sums);
}

const rowsWithGaps = (gapNs: number) =>
  fc
    .array(
      fc.record({
        gaps: fc.array(fc.oneof(fc.constant(0), fc.nat({ max: gapNs })), { maxLength: 40 }),
        bytes: fc.integer({ min: 1, max: 10_000 }),
      }),
      { maxLength: 12 },
    )
    .map((rows) => {
      let atNs = 3_600e9;
      return rows.map(
        ({ gaps, bytes }): Row => ({ instants: Float64Array.from(gaps, (gap) => (atNs += gap)), bytes }),
      );
    });

const lengths = fc.array(fc.integer({ min: 1, max: 2_000 }), { minLength: 1, maxLength: 3 });

describe('the most bytes in a window', () => {
  test('are the most in any window that begins at a departure, both ends counted', () => {
    fc.assert(
      fc.property(rowsWithGaps(100), lengths, (rows, lengthsNs) => {
        expect(mostBytes(lengthsNs, rows)).toEqual(lengthsNs.map((length) => byDefinition(length, rows)));
      }),
      { numRuns: 500 },
    );
  });

  test('are the same of portions that are told to leave evenly, whatever left before', () => {
    const row = fc.record({
      restNs: fc.nat({ max: 3_000 }),
      gapNs: fc.integer({ min: 1, max: 40 }),
      count: fc.integer({ min: 2, max: 90 }),
      bytes: fc.constantFrom(1, 16, 4_096, 4_112),
      isTold: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(row, { maxLength: 8 }), lengths, (specs, lengthsNs) => {
        const windows = new DepartureWindows(lengthsNs);
        let now = 0;
        const rows = specs.map(({ restNs, gapNs, count, bytes, isTold }): Row => {
          const firstNs = now + restNs;
          const instants = Float64Array.from({ length: count }, (_, index) => firstNs + index * gapNs);
          now = instants.at(-1)!;
          if (isTold) windows.departedEvenly(instants, bytes);
          else windows.departedRow(instants, bytes);
          return { instants, bytes };
        });
        expect(windows.mostBytes).toEqual(lengthsNs.map((length) => byDefinition(length, rows)));
      }),
      { numRuns: 500 },
    );
  });

  test('are the same for whoever knows a bound on them, the rate changing as it likes', () => {
    const rates = fc.array(fc.constantFrom(50, 1_000, 40_000), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(rowsWithGaps(100e6), rates, (rows, rate) => {
        const lengthsNs = [10e6, 100e6, 1e9];
        const conformance = new Conformance(1, 0);
        const windows = new DepartureWindows(lengthsNs);
        let highest = 0;
        for (const [index, { instants, bytes }] of rows.entries()) {
          highest = Math.max(highest, rate[index]!);
          conformance.departedRow(instants, bytes, rate[index]!);
          windows.departedRow(instants, bytes, conformance.largestRiseBytes, highest);
        }
        expect(windows.mostBytes).toEqual(lengthsNs.map((length) => byDefinition(length, rows)));
      }),
      { numRuns: 500 },
    );
  });

  test('of more departures than are kept: never fewer, and no more than in a window longer by two pairs', () => {
    const mostKept = 2_048;
    const row = fc
      .array(fc.record({ gap: fc.nat({ max: 20 }), bytes: fc.integer({ min: 1, max: 99 }) }), {
        minLength: 4_000,
        maxLength: 5_000,
      })
      .map((steps) => {
        let atNs = 0;
        return steps.map(({ gap, bytes }): Row => ({ instants: Float64Array.of((atNs += gap)), bytes }));
      });
    fc.assert(
      fc.property(row, (rows) => {
        // All of them fall into the window or nearly so: they are paired up to three times, eight gaps of 20 ns.
        const lengthNs = 30_000;
        const [most] = mostBytes([lengthNs], rows, mostKept);
        expect(most).toBeGreaterThanOrEqual(byDefinition(lengthNs, rows));
        expect(most).toBeLessThanOrEqual(byDefinition(lengthNs + 2 * 8 * 20, rows));
      }),
      { numRuns: 10 },
    );
  });

  test('of many departures that no window holds together are exact however many there are', () => {
    const instants = Float64Array.from({ length: 200_000 }, (_, index) => index * 1_000);
    expect(mostBytes([99_999, 100_000, 1e6], [{ instants, bytes: 7 }], 4_096)).toEqual([700, 707, 7_007]);
  });

  test('of nothing are none', () => {
    expect(mostBytes([10], [])).toEqual([0]);
    expect(mostBytes([10], [{ instants: new Float64Array(0), bytes: 5 }])).toEqual([0]);
  });
});

describe('what a bucket let through', () => {
  const rate = 6_250_000;
  const depth = 65_536;

  test('is in no window more than depth + rate × window', () => {
    const request = fc.record({
      idleNs: fc.oneof(fc.constant(0), fc.nat({ max: 30e6 })),
      bytes: fc.integer({ min: 1, max: 65_536 }),
    });
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 60 }), (requests) => {
        let bucket = fullBucket(rate, depth, 0);
        let now = 0;
        const lengthsNs = [10e6, 100e6, 1e9];
        const windows = new DepartureWindows(lengthsNs);
        for (const { idleNs, bytes } of requests) {
          const { at, next } = reserve(bucket, now + idleNs, bytes);
          bucket = next;
          now = at;
          windows.departedRow(Float64Array.of(at), bytes);
        }
        for (const [index, lengthNs] of lengthsNs.entries()) {
          expect(windows.mostBytes[index]).toBeLessThanOrEqual(depth + (rate * lengthNs) / 1e9);
        }
      }),
    );
  });

  test('in rows is found though most of them need not be looked at', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({ count: fc.nat({ max: 80 }), zero: fc.boolean(), restNs: fc.nat({ max: 20e6 }) }),
          {
            maxLength: 8,
          },
        ),
        (parts) => {
          const lengthsNs = [2e6, 10e6, 30e6];
          const conformance = new Conformance(depth, 0);
          const windows = new DepartureWindows(lengthsNs);
          const rows: Row[] = [];
          let bucket = fullBucket(rate, depth, 0);
          let now = 0;
          for (const { count, zero, restNs } of parts) {
            const instants = new Float64Array(count);
            const bytes = zero ? 16 : 4_112;
            bucket = reserveRow(bucket, now + restNs, bytes, instants);
            now = instants.at(-1) ?? now + restNs;
            rows.push({ instants, bytes });
            conformance.departedRow(instants, bytes, rate);
            windows.departedRow(instants, bytes, conformance.largestRiseBytes, rate);
          }
          expect(windows.mostBytes).toEqual(lengthsNs.map((length) => byDefinition(length, rows)));
        },
      ),
    );
  });

  test('and never rests is within a portion of it', () => {
    const instants = new Float64Array(5_000);
    reserveRow(fullBucket(rate, depth, 0), 0, 4_112, instants);
    const [most] = mostBytes([100e6], [{ instants, bytes: 4_112 }]);
    expect(most).toBeLessThanOrEqual(depth + rate / 10);
    expect(most).toBeGreaterThan(depth + rate / 10 - 4_112);
  });
});
