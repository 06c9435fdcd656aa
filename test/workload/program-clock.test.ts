import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bursts, meanSpeed, ProgramClock } from '../../src/workload/program-clock.ts';

const bursting = fc
  .record({
    everyNs: fc.integer({ min: 1_000, max: 2e9 }),
    share: fc.double({ min: 0.01, max: 0.99, noNaN: true }),
    factor: fc.oneof(fc.integer({ min: 2, max: 100 }), fc.double({ min: 0.1, max: 10, noNaN: true })),
  })
  .map(({ everyNs, share, factor }): Bursts => ({ everyNs, lengthNs: Math.ceil(everyNs * share), factor }));

describe('the clock that a program goes by', () => {
  test('without bursts shows for how long the guest has run', () => {
    const clock = new ProgramClock({ seed: 3 });
    expect([clock.programNs(7), clock.ranNs(7)]).toEqual([7, 7]);
  });

  test('begins at 0, never goes back, and is read backwards as forwards', () => {
    fc.assert(
      fc.property(
        bursting,
        fc.nat(),
        fc.array(fc.integer({ min: 0, max: 1e10 }), { minLength: 2 }),
        (bursts, seed, times) => {
          const clock = new ProgramClock({ bursts, seed });
          expect(clock.programNs(0)).toBe(0);
          times.sort((a, b) => a - b);
          const shown = times.map((ranNs) => clock.programNs(ranNs));
          expect([...shown].sort((a, b) => a - b)).toEqual(shown);
          for (const [index, ranNs] of times.entries()) {
            expect(Math.abs(clock.ranNs(shown[index]!) - ranNs)).toBeLessThan(0.01 + 1e-9 * ranNs);
          }
        },
      ),
    );
  });

  test('goes faster by the factor for so long once in every period, wherever that begins', () => {
    const bursts = { everyNs: 100, lengthNs: 20, factor: 5 };
    const begins = Array.from({ length: 30 }, (_, seed) => {
      const clock = new ProgramClock({ bursts, seed });
      const speeds = Array.from({ length: 1_000 }, (_, ns) => clock.programNs(ns + 1) - clock.programNs(ns));
      expect(new Set(speeds)).toEqual(new Set([1, 5]));
      for (let start = 0; start < 900; start += 100) {
        expect(speeds.slice(start, start + 100).filter((speed) => speed === 5)).toHaveLength(20);
      }
      return speeds.findIndex((speed, ns) => speed === 5 && (ns === 0 || speeds[ns - 1] === 1));
    });
    expect(new Set(begins).size).toBeGreaterThan(10);
    expect(meanSpeed(bursts)).toBeCloseTo(1.8, 12);
    expect(meanSpeed(undefined)).toBe(1);
  });
});
