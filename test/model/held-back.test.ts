import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deferrable } from '../../src/core/migration/deferral.ts';
import { known } from '../../src/core/migration/heat.ts';
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
        defer,
        WINDOW_NS,
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
  expect(heldBack(strata, null, WINDOW_NS)).toEqual([{ ...strata[0], deferred: false }]);
});
