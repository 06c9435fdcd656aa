import fc from 'fast-check';
import { expect, test } from 'vitest';
import { drawn } from '../../src/core/machine-costs.ts';
import { Random } from '../../src/core/random.ts';

const DRAWS = 4_000;

test('of many draws half lie above the median that was measured, and a twentieth above the 95 % quantile', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 1e9, noNaN: true }),
      fc.double({ min: 1.01, max: 20, noNaN: true }),
      fc.nat(),
      (median, ratio, seed) => {
        const cost = { median, p95: median * ratio, samples: 10 };
        const random = Random.seeded(seed);
        const values = Array.from({ length: DRAWS }, () => drawn(cost, random));
        const above = (limit: number) => values.filter((value) => value > limit).length / DRAWS;
        // Five standard errors: √(p·(1 − p) / n).
        expect(Math.abs(above(median) - 0.5)).toBeLessThan(5 * Math.sqrt(0.25 / DRAWS));
        expect(Math.abs(above(cost.p95) - 0.05)).toBeLessThan(5 * Math.sqrt(0.0475 / DRAWS));
        expect(Math.min(...values)).toBeGreaterThan(0);
      },
    ),
    { numRuns: 30 },
  );
});

test('a cost that never varied is drawn as it was measured, and one that is nothing as nothing', () => {
  const random = Random.seeded(1);
  expect(drawn({ median: 7, p95: 7, samples: 1 }, random)).toBe(7);
  expect(drawn({ median: 0, p95: 5, samples: 1 }, random)).toBe(0);
});
