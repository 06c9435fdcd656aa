import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type GuestSpec, writesPerSecondOf } from '../../src/workload/programs.ts';
import { strataOf, ZIPF_STRATUM_SPREAD } from '../../src/workload/strata.ts';

function guestOf(pages: number, program: GuestSpec['program']): GuestSpec {
  return {
    ...{ name: 'guest', pages, pageSizeBytes: 4096, zeroPages: 0, program },
    ...{ heartbeatPeriodNs: 1e7, cpuPerWriteNs: 0, seed: 1 },
  };
}

test('classes are strata, and what nobody writes is the last', () => {
  const classes = [
    { pages: 10, writesPerSecond: 5 },
    { pages: 20, writesPerSecond: 0.5 },
  ];
  expect(strataOf(guestOf(100, { kind: 'classes', classes }))).toEqual([
    ...classes,
    { pages: 70, writesPerSecond: 0 },
  ]);
});

test('bands of a Zipf guest hold all its pages and writes, and no page is far from the mean of its band', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20_000 }),
      fc.oneof(fc.constant(0), fc.constant(1), fc.double({ min: 0.05, max: 2, noNaN: true })),
      (pages, exponent) => {
        const guest = guestOf(pages, { kind: 'zipf', pages, exponent, writesPerSecond: 1000 });
        const strata = strataOf(guest)!;
        const rates = writesPerSecondOf(guest).sort().reverse();
        let rank = 0;
        let writes = 0;
        let worst = 0;
        for (const { pages, writesPerSecond } of strata) {
          writes += pages * writesPerSecond;
          for (const end = rank + pages; rank < end; rank++) {
            worst = Math.max(worst, Math.abs(rates[rank]! / writesPerSecond - 1));
          }
        }
        expect(worst).toBeLessThanOrEqual(ZIPF_STRATUM_SPREAD);
        expect(rank).toBe(pages);
        expect(writes).toBeCloseTo(1000, 6);
      },
    ),
    { numRuns: 50 },
  );
});

test('a guest of 512 GiB has a few thousand bands', () => {
  const pages = 2 ** 27;
  const strata = strataOf(guestOf(pages, { kind: 'zipf', pages, exponent: 0.99, writesPerSecond: 1e6 }))!;
  expect(strata.length).toBeLessThan(3_000);
  expect(strata.reduce((sum, { pages }) => sum + pages, 0)).toBe(pages);
});

test('a guest that sweeps over its pages has no strata', () => {
  expect(strataOf(guestOf(100, { kind: 'saturating', pages: 50, writesPerSecond: 10 }))).toBeUndefined();
});
