import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { deferrable } from '../../src/core/migration/deferral.ts';
import { frequency, known } from '../../src/core/migration/heat.ts';
import { PageSet } from '../../src/core/migration/pages.ts';
import { Random } from '../../src/core/random.ts';
import { heldBack } from '../../src/model/held-back.ts';

const WINDOW_NS = 40e6;

const someStrata = fc.uniqueArray(
  fc.record({
    pages: fc.integer({ min: 1, max: 50 }),
    writesPerSecond: fc.oneof(
      fc.constant(0),
      fc.integer({ min: -30, max: 20 }).map((tenth) => 10 ** (tenth / 10)),
    ),
  }),
  { minLength: 1, maxLength: 6, selector: ({ writesPerSecond }) => writesPerSecond },
);
const policies = fc.oneof(
  fc.record({ threshold: fc.double({ min: 0.01, max: 1, noNaN: true }) }),
  fc.record({ count: fc.nat(200) }),
);

test('of each stratum as many pages wait as a migration holds back', () => {
  fc.assert(
    fc.property(someStrata, policies, (strata, defer) => {
      const rates = Float64Array.from(
        strata.flatMap(({ pages, writesPerSecond }) => new Array<number>(pages).fill(writesPerSecond)),
      );
      const held = deferrable(defer, known({ writesPerSecond: rates }, WINDOW_NS), rates.length);
      const parts = heldBack(
        strata.map((stratum) => ({ ...stratum, zero: false })),
        { defer, heat: 'known', windowNs: WINDOW_NS, observeNs: 100 * WINDOW_NS },
      );
      for (const { pages, writesPerSecond } of strata) {
        const ofRate = parts.filter((part) => part.writesPerSecond === writesPerSecond);
        const waiting = ofRate.filter(({ deferred }) => deferred).reduce((sum, part) => sum + part.pages, 0);
        expect(ofRate.reduce((sum, part) => sum + part.pages, 0)).toBe(pages);
        expect(waiting).toBe(held.toArray().filter((page) => rates[page] === writesPerSecond).length);
      }
    }),
  );
});

test('without deferral none of them waits', () => {
  const strata = [{ pages: 3, writesPerSecond: 100, zero: false }];
  expect(
    heldBack(strata, { defer: null, heat: 'known', windowNs: WINDOW_NS, observeNs: 100 * WINDOW_NS }),
  ).toEqual([{ ...strata[0], deferred: false, from: 0, to: 1 }]);
});

test('of a stratum that a count divides the first wait if heats are known', () => {
  const strata = [
    { pages: 100, writesPerSecond: 1, zero: false },
    { pages: 40, writesPerSecond: 9, zero: false },
  ];
  const plan = { defer: { count: 50 }, heat: 'known', windowNs: WINDOW_NS, observeNs: 4e9 } as const;
  expect(heldBack(strata, plan).map(({ pages, deferred, from, to }) => [pages, deferred, from, to])).toEqual([
    [40, true, 0, 1],
    [10, true, 0, 0.1],
    [90, false, 0.1, 1],
  ]);
});

describe('of estimated heats', () => {
  test.each([
    ['a threshold', { threshold: 0.04 }],
    ['a count below what was seen', { count: 30 }],
    ['a count above it', { count: 120 }],
  ] as const)('%s holds back as many pages of each stratum as watching the guest does, on average', (_, defer) => {
    const strata = [
      { pages: 60, writesPerSecond: 0.9, zero: false },
      { pages: 100, writesPerSecond: 0.05, zero: false },
    ];
    const [windows, pages, runs] = [40, 160, 400];
    const waiting = [0, 0];
    for (let run = 0; run < runs; run++) {
      const random = Random.seeded(run);
      const layout = random.shuffle(Uint32Array.from({ length: pages }, (_, page) => page));
      const stratumOf = (page: number) => (layout[page]! < 60 ? 0 : 1);
      const heat = frequency(pages, 1e15);
      for (let window = 0; window < windows; window++) {
        const dirty = new PageSet(pages);
        for (let page = 0; page < pages; page++) {
          const { writesPerSecond } = strata[stratumOf(page)]!;
          if (random.happens(-Math.expm1((-writesPerSecond * WINDOW_NS) / 1e9))) dirty.add(page);
        }
        heat.see(dirty, WINDOW_NS);
      }
      deferrable(defer, heat, pages).each((page) => {
        waiting[stratumOf(page)]! += 1 / runs;
      });
    }
    const plan = { defer, heat: 'estimated', windowNs: WINDOW_NS, observeNs: windows * WINDOW_NS } as const;
    const parts = heldBack(strata, plan).filter(({ deferred }) => deferred);
    for (const [index, { writesPerSecond }] of strata.entries()) {
      const held = parts.filter((part) => part.writesPerSecond === writesPerSecond);
      expect(Math.abs(held.reduce((sum, part) => sum + part.pages, 0) - waiting[index]!)).toBeLessThan(3);
    }
  });
});
