import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bottleneck, bottleneckOf, passedNs } from '../../../src/core/link/bottleneck.ts';
import { Random } from '../../../src/core/random.ts';

const MS = 1e6;
const drop = { everyNs: 10 * MS, lengthNs: 4 * MS, phaseNs: 2 * MS, bytesPerSecond: 0 };

/** How many bytes pass in an interval, summed microsecond by microsecond. */
function passedWithin({ bytesPerSecond, drops }: Bottleneck, fromNs: number, toNs: number): number {
  let bytes = 0;
  for (let now = fromNs; now < toNs; now += 1_000) {
    const down = drops.filter(
      ({ everyNs, lengthNs, phaseNs }) => (((now - phaseNs) % everyNs) + everyNs) % everyNs < lengthNs,
    );
    bytes += Math.min(bytesPerSecond, ...down.map((each) => each.bytesPerSecond)) / 1e6;
  }
  return bytes;
}

describe('a bottleneck', () => {
  test('passes bytes at its rate', () => {
    expect(passedNs({ bytesPerSecond: 1_000_000, drops: [] }, 5 * MS, 1_000)).toBe(6 * MS);
  });

  test('passes nothing in an outage, and goes on after it', () => {
    const bottleneck = { bytesPerSecond: 1_000_000, drops: [drop] };
    expect(passedNs(bottleneck, 0, 2_000)).toBe(2 * MS);
    expect(passedNs(bottleneck, 0, 3_000)).toBe(7 * MS);
    expect(passedNs(bottleneck, 3 * MS, 1)).toBe(6 * MS + 1_000);
  });

  test('passes exactly what its rates add up to, whatever the drops', () => {
    const drops = fc.array(
      fc.record({
        everyNs: fc.integer({ min: 5, max: 20 }).map((ms) => ms * MS),
        lengthNs: fc.integer({ min: 1, max: 4 }).map((ms) => ms * MS),
        phaseNs: fc.integer({ min: 0, max: 20 }).map((ms) => ms * MS),
        bytesPerSecond: fc.constantFrom(0, 100_000, 500_000),
      }),
      { maxLength: 2 },
    );
    fc.assert(
      fc.property(
        drops,
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 1, max: 20_000 }),
        (drops, ms, bytes) => {
          const bottleneck = { bytesPerSecond: 1_000_000, drops };
          const doneNs = passedNs(bottleneck, ms * MS, bytes);
          // A microsecond carries a byte at most.
          expect(Math.abs(passedWithin(bottleneck, ms * MS, doneNs) - bytes)).toBeLessThanOrEqual(2);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('is what all antagonists of the link leave together', () => {
    const random = Random.seeded(1);
    const cross = { kind: 'cross-traffic', bytesPerSecond: 300 } as const;
    const slow = { kind: 'slow-destination', bytesPerSecond: 500 } as const;
    expect(bottleneckOf([], 1_000, random)).toBeUndefined();
    expect(bottleneckOf([{ kind: 'timer-noise', meanNs: 1 }], 1_000, random)).toBeUndefined();
    expect(bottleneckOf([cross, cross], 1_000, random)).toEqual({ bytesPerSecond: 400, drops: [] });
    expect(bottleneckOf([cross, slow], 1_000, random)).toEqual({ bytesPerSecond: 500, drops: [] });
  });
});
