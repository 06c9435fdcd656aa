import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProgramClock } from '../../../src/workload/program-clock.ts';
import { keptClean } from '../../../src/worlds/virtual/kept-clean.ts';

test('the share of pages that stay clean is the mean over the instants at which they left', () => {
  const runs = fc.array(
    fc.record({ count: fc.integer({ min: 1, max: 60 }), gapNs: fc.constantFrom(0, 1_000, 77_777) }),
    { minLength: 1, maxLength: 3 },
  );
  const bursts = fc.option(
    fc.record({ everyNs: fc.constant(400_000), lengthNs: fc.constant(90_000), factor: fc.constant(7) }),
    { nil: undefined },
  );
  fc.assert(
    fc.property(
      runs,
      bursts,
      fc.integer({ min: 1, max: 9 }),
      fc.double({ min: 1e-9, max: 1e-4, noNaN: true }),
      (sent, burst, seed, writesPerNs) => {
        const clock = new ProgramClock({ bursts: burst, seed });
        let now = 5_000;
        const departures = sent.map(({ count, gapNs }) => {
          const firstNs = now;
          now += (count - 1) * gapNs;
          return { count, gapNs, firstNs, lastNs: now };
        });
        const endNs = now + 10_000;
        const each = departures.flatMap(({ count, firstNs, gapNs }) =>
          Array.from({ length: count }, (_, index) =>
            Math.exp(-writesPerNs * (clock.programNs(endNs) - clock.programNs(firstNs + index * gapNs))),
          ),
        );
        const mean = each.reduce((sum, value) => sum + value, 0) / each.length;
        expect(keptClean(departures, writesPerNs, endNs, clock)).toBeCloseTo(mean, 9);
      },
    ),
  );
});
