import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  firstFitDecreasing,
  globalEdfGuarantees,
  type Load,
  reservable,
} from '../../../src/core/cpu/cpu-admission.ts';

const loads = (...pairs: [number, number][]): Load[] =>
  pairs.map(([budget, period], index) => ({ name: `load-${index}`, budget, period }));

const ms = (time: number) => `${time / 1e6} ms`;

/** Any shares up to 1, of periods between which there is no common measure worth speaking of. */
const anyLoads = fc
  .array(
    fc
      .integer({ min: 1, max: 2 ** 53 - 1 })
      .chain((period) => fc.tuple(fc.integer({ min: 1, max: period }), fc.constant(period))),
    { minLength: 1, maxLength: 8 },
  )
  .map((pairs) => loads(...(pairs as [number, number][])));
/** Shares of few and simple sizes, which fill processors to the brim. */
const neatLoads = fc
  .array(
    fc
      .constantFrom(2, 3, 4, 5, 6, 10, 12)
      .chain((period) => fc.tuple(fc.integer({ min: 1, max: period }), fc.constant(period))),
    { minLength: 1, maxLength: 8 },
  )
  .map((pairs) => loads(...(pairs as [number, number][])));
const processorCounts = fc.integer({ min: 1, max: 4 });

/** ΣU ≤ 1, by cross-multiplying. */
function fitsOne(group: readonly Load[]): boolean {
  const [over, under] = group.reduce(
    ([over, under], { budget, period }) => [
      over * BigInt(period) + BigInt(budget) * under,
      under * BigInt(period),
    ],
    [0n, 1n],
  );
  return over! <= under!;
}

describe('admission by first-fit decreasing', () => {
  test('fills processors exactly: thirds, and the set that partitions without a remainder', () => {
    expect(firstFitDecreasing(loads([1, 3], [1, 3], [1, 3]), 1)).toEqual({
      admitted: true,
      processorOf: [0, 0, 0],
    });
    expect(firstFitDecreasing(loads([7, 10], [3, 10], [5, 10], [5, 10]), 2)).toEqual({
      admitted: true,
      processorOf: [0, 0, 1, 1],
    });
    expect(firstFitDecreasing(loads([1, 10], [2, 10], [3, 10], [4, 10]), 1).admitted).toBe(true);
  });

  test('refuses what is too much by one part in 2^53', () => {
    const period = Number.MAX_SAFE_INTEGER;
    const half = (period - 1) / 2;
    expect(firstFitDecreasing(loads([half, period], [half + 1, period]), 1).admitted).toBe(true);
    expect(firstFitDecreasing(loads([half + 1, period], [half + 1, period]), 1).admitted).toBe(false);
    expect(firstFitDecreasing(loads([1, 2], [half + 1, period]), 1).admitted).toBe(false);
    expect(firstFitDecreasing(loads([1, 2], [half, period]), 1).admitted).toBe(true);
  });

  test('places the largest share first, and of equal ones the first listed', () => {
    expect(firstFitDecreasing(loads([2, 10], [8, 10], [1, 5], [3, 5]), 2)).toEqual({
      admitted: true,
      processorOf: [0, 0, 1, 1],
    });
  });

  test('of a host leaves a twentieth of every processor to others', () => {
    expect(reservable(loads([95, 100], [950, 1000]), 2)).toBe(true);
    expect(reservable(loads([95, 100], [951, 1000]), 2)).toBe(false);
    expect(reservable(loads([95, 100], [1, 1_000_000]), 1)).toBe(false);
    expect(reservable(loads([1, 3], [1, 3], [1, 4]), 1)).toBe(true);
    expect(reservable([], 1)).toBe(true);
  });

  test('says who does not fit, what was asked, and what would fit', () => {
    const [one, other] = loads([6, 10], [6, 10]);
    expect(firstFitDecreasing([one!, other!, { name: 'sender', budget: 6, period: 10 }], 2)).toEqual({
      admitted: false,
      misfit: 'sender',
      why:
        'sender (6 of every 10) does not fit: the reservations ask for 1.80 of 2 processors and none has ' +
        '0.60 left; at most (4 of every 10) would',
    });
  });

  test('prints times as it is told to, and rounds shares up, so that what it says is true', () => {
    const guest = { name: 'guest', budget: 8e6, period: 12e6 };
    const sender = { name: 'sender', budget: 4_000_001, period: 12e6 };
    expect(firstFitDecreasing([guest, sender], 1, ms)).toMatchObject({
      why:
        'sender (4.000001 ms of every 12 ms) does not fit: the reservations ask for 1.01 of 1 processor ' +
        'and none has 0.34 left; at most (4 ms of every 12 ms) would',
    });
  });

  test('says so when no smaller budget would help', () => {
    expect(firstFitDecreasing(loads([10, 10], [1, 10]), 1)).toMatchObject({
      why: expect.stringMatching(/; the others fit only without it$/),
    });
    expect(firstFitDecreasing(loads([6, 10], [6, 10], [6, 10], [6, 10]), 2)).toMatchObject({
      why: expect.stringMatching(/; the others would not fit without it either$/),
    });
  });

  test('never asks more of a processor than it has, however odd the periods', () => {
    fc.assert(
      fc.property(fc.oneof(anyLoads, neatLoads), processorCounts, (set, processors) => {
        const placement = firstFitDecreasing(set, processors);
        if (!placement.admitted) return;
        for (let processor = 0; processor < processors; processor++) {
          expect(fitsOne(set.filter((_, index) => placement.processorOf[index] === processor))).toBe(true);
        }
      }),
    );
  });

  test('on one processor admits exactly what ΣU ≤ 1 admits', () => {
    fc.assert(
      fc.property(fc.oneof(anyLoads, neatLoads), (set) => {
        expect(firstFitDecreasing(set, 1).admitted).toBe(fitsOne(set));
      }),
    );
  });

  test('the budget it says would fit does, and one unit more does not', () => {
    fc.assert(
      fc.property(neatLoads, processorCounts, (set, processors) => {
        const placement = firstFitDecreasing(set, processors);
        if (placement.admitted) return;
        const offered = /at most \((\d+) of/.exec(placement.why)?.[1];
        if (offered === undefined) return;
        const asking = (budget: number) =>
          set.map((load) => (load.name === placement.misfit ? { ...load, budget } : load));
        expect(firstFitDecreasing(asking(Number(offered)), processors).admitted).toBe(true);
        expect(firstFitDecreasing(asking(Number(offered) + 1), processors).admitted).toBe(false);
      }),
    );
  });
});

describe('global EDF (Goossens, Funk & Baruah)', () => {
  test('does not guarantee three of (6,10) on two processors, which cannot be partitioned either', () => {
    const set = loads([6, 10], [6, 10], [6, 10]);
    expect(globalEdfGuarantees(set, 2)).toBe(false);
    expect(firstFitDecreasing(set, 2).admitted).toBe(false);
  });

  test('guarantees up to M − (M − 1)·Umax exactly', () => {
    expect(globalEdfGuarantees(loads([1, 2], [1, 2], [1, 2]), 2)).toBe(true);
    expect(globalEdfGuarantees(loads([1, 3], [1, 3], [1, 3], [1, 3], [1, 3]), 2)).toBe(true);
    expect(globalEdfGuarantees(loads([1, 3], [1, 3], [1, 3], [1, 3], [333_334, 1_000_000]), 2)).toBe(false);
    expect(globalEdfGuarantees(loads([7, 10], [3, 10], [5, 10], [5, 10]), 2)).toBe(false);
    expect(globalEdfGuarantees([], 1)).toBe(true);
  });

  test('guarantees nothing that first-fit decreasing refuses', () => {
    fc.assert(
      fc.property(fc.oneof(anyLoads, neatLoads), processorCounts, (set, processors) => {
        if (globalEdfGuarantees(set, processors)) {
          expect(firstFitDecreasing(set, processors).admitted).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
