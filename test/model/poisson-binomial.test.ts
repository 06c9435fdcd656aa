import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';
import { successes } from '../../src/model/distribution.ts';
import { normalQuantile } from '../../src/model/normal.ts';
import { PoissonBinomial, refinedNormalQuantile } from '../../src/model/poisson-binomial.ts';

const LEVELS = [0.0001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999];

describe('the normal quantile', () => {
  test('is that of the tables', () => {
    expect(normalQuantile(0.5)).toBe(0);
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 8);
    expect(normalQuantile(0.99)).toBeCloseTo(2.3263478740408408, 8);
    expect(normalQuantile(0.01)).toBeCloseTo(-2.3263478740408408, 8);
    expect(normalQuantile(1e-6)).toBeCloseTo(-4.753424308822899, 7);
    expect(normalQuantile(0)).toBe(Number.NEGATIVE_INFINITY);
    expect(normalQuantile(1)).toBe(Number.POSITIVE_INFINITY);
  });
});

/** Pr[n ≤ k] for every k, by the definition: all pages one after the other, nothing left out. */
function cumulative(probabilities: Float64Array): Float64Array {
  const mass = new Float64Array(probabilities.length + 1);
  mass[0] = 1;
  probabilities.forEach((d, page) => {
    for (let k = page + 1; k > 0; k--) mass[k] = mass[k]! * (1 - d) + mass[k - 1]! * d;
    mass[0]! *= 1 - d;
  });
  for (let k = 1; k < mass.length; k++) mass[k]! += mass[k - 1]!;
  return mass;
}

function quantileByDefinition(below: Float64Array, q: number): number {
  const k = below.findIndex((share) => share >= q);
  return k === -1 ? below.length - 1 : k;
}

const probability = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom(0, 1, 1e-9, 1e-3, 0.5, 1 - 1e-9),
);
const populations = fc
  .array(probability, { minLength: 1, maxLength: 60 })
  .map((values) => Float64Array.from(values));

describe('the number of dirty pages', () => {
  test('has the moments of its distribution', () => {
    fc.assert(
      fc.property(populations, (probabilities) => {
        const below = cumulative(probabilities);
        const moment = (power: number, around: number) =>
          below.reduce(
            (sum, share, k) => sum + (share - (k > 0 ? below[k - 1]! : 0)) * (k - around) ** power,
            0,
          );
        const { mean, variance, skewness } = new PoissonBinomial(probabilities);
        expect(mean).toBeCloseTo(moment(1, 0), 9);
        expect(variance).toBeCloseTo(moment(2, mean), 9);
        expect(skewness * variance ** 1.5).toBeCloseTo(moment(3, mean), 8);
      }),
    );
  });

  test('has, among few pages, exactly the quantiles of its distribution', () => {
    fc.assert(
      fc.property(populations, fc.double({ min: 1e-4, max: 1 - 1e-4 }), (probabilities, q) => {
        const below = cumulative(probabilities);
        // Where q is a value of the distribution itself, the last digit decides: leave that out.
        fc.pre(below.every((share) => Math.abs(share - q) > 1e-6));
        expect(new PoissonBinomial(probabilities).quantile(q)).toBe(quantileByDefinition(below, q));
      }),
    );
  });

  test('is within one page of it when the quantile is approximated, and the plain normal is not', () => {
    // Of 60,000 pages some 30 are dirty, far from symmetrically; too much work to convolve.
    const probabilities = new Float64Array(60_000).fill(5e-4);
    for (let page = 0; page < 400; page++) probabilities[page] = 0.02;
    const distribution = new PoissonBinomial(probabilities);
    const { first, mass } = successes(probabilities);
    let [cumulated, k] = [mass[0]!, first];
    let worstOfNormal = 0;
    for (const q of LEVELS) {
      while (cumulated < q) cumulated += mass[++k - first]!;
      expect(Math.abs(distribution.quantile(q) - k), `q = ${q}`).toBeLessThanOrEqual(1);
      const normal = Math.ceil(
        distribution.mean + normalQuantile(q) * Math.sqrt(distribution.variance) - 0.5,
      );
      worstOfNormal = Math.max(worstOfNormal, Math.abs(normal - k));
    }
    expect(worstOfNormal).toBeGreaterThan(1);
  });

  test('is Poisson when all pages are rarely dirty: mean 1 gives 1, 2, 4 and 5 pages', () => {
    const rare = new PoissonBinomial(new Float64Array(1_000_000).fill(1e-6));
    expect([0.5, 0.9, 0.99, 0.999].map((q) => rare.quantile(q))).toEqual([1, 2, 4, 5]);
  });

  test('and all but Poisson when all pages are rarely clean', () => {
    const hot = new PoissonBinomial(new Float64Array(1_000_000).fill(1 - 1e-6));
    expect([0.0005, 0.005, 0.05, 0.6].map((q) => 1_000_000 - hot.quantile(q))).toEqual([6, 4, 3, 1]);
  });

  test('agrees with a simulation', () => {
    const random = Random.seeded(7);
    const probabilities = Float64Array.from({ length: 500 }, () => random.uniform() ** 4);
    const distribution = new PoissonBinomial(probabilities);
    const runs = 5000;
    const counts = Array.from({ length: runs }, () =>
      probabilities.reduce((sum, d) => sum + (random.uniform() < d ? 1 : 0), 0),
    );
    for (const q of [0.1, 0.5, 0.9, 0.99]) {
      const pages = distribution.quantile(q);
      const share = (limit: number) => counts.filter((count) => count <= limit).length / runs;
      expect(share(pages)).toBeGreaterThan(q - 0.02);
      expect(share(pages - 1)).toBeLessThan(q + 0.02);
    }
  });

  test('never has fewer pages at a higher level, nor less than none or more than all', () => {
    const sizes = fc.tuple(populations, fc.constantFrom(1, 3000)).map(([values, copies]) => {
      const all = new Float64Array(values.length * copies);
      for (let copy = 0; copy < copies; copy++) all.set(values, copy * values.length);
      return all;
    });
    fc.assert(
      fc.property(sizes, (probabilities) => {
        const distribution = new PoissonBinomial(probabilities);
        let last = 0;
        for (const q of [0, 1e-9, ...LEVELS, 1 - 1e-9, 1]) {
          const pages = distribution.quantile(q);
          expect(pages).toBeGreaterThanOrEqual(last);
          expect(pages).toBeLessThanOrEqual(probabilities.length);
          last = pages;
        }
      }),
      { numRuns: 30 },
    );
  });

  test('is the same whether pages of one probability are listed or counted, whole or in parts', () => {
    const counted = fc.array(fc.tuple(probability, fc.integer({ min: 1, max: 30 })), {
      minLength: 1,
      maxLength: 8,
    });
    const parts = fc.array(fc.double({ min: 0.01, max: 1, noNaN: true }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(counted, parts, fc.double({ min: 1e-4, max: 1 - 1e-4 }), (groups, shares, q) => {
        const all = shares.reduce((sum, share) => sum + share, 0);
        const listed = Float64Array.from(groups.flatMap(([d, count]) => new Array<number>(count).fill(d)));
        const below = cumulative(listed);
        fc.pre(below.every((share) => Math.abs(share - q) > 1e-6));
        const inParts = groups.flatMap(([d, count]) =>
          shares.map((share) => [d, (count * share) / all] as const),
        );
        for (const these of [groups, inParts]) {
          const distribution = new PoissonBinomial(
            Float64Array.from(these, ([d]) => d),
            Float64Array.from(these, ([, count]) => count),
          );
          expect(distribution.quantile(q)).toBe(quantileByDefinition(below, q));
          expect(distribution.least).toBe(listed.filter((d) => d === 1).length);
          expect(distribution.most).toBe(listed.filter((d) => d > 0).length);
          expect(distribution.mean).toBeCloseTo(new PoissonBinomial(listed).mean, 9);
          expect(distribution.variance).toBeCloseTo(new PoissonBinomial(listed).variance, 9);
        }
      }),
    );
  });

  test('of a page that is of several probabilities has their mean', () => {
    const mixed = new PoissonBinomial(Float64Array.of(0.2, 0.6), Float64Array.of(0.5, 0.5));
    expect([0.59, 0.61].map((q) => mixed.quantile(q))).toEqual([0, 1]);
  });

  test('knows the pages that are dirty for sure, and those that cannot be', () => {
    const distribution = new PoissonBinomial(Float64Array.of(1, 1, 0.5, 0, 0));
    expect([0, 0.4, 0.6, 1].map((q) => distribution.quantile(q))).toEqual([2, 2, 3, 3]);
    expect(() => distribution.quantile(1.01)).toThrow(RangeError);
  });
});

test('the bent normal quantile never falls in q, however skewed', () => {
  for (const skewness of [-3, -0.5, 0, 0.5, 3]) {
    const values = Array.from({ length: 999 }, (_, i) =>
      refinedNormalQuantile({ mean: 0, variance: 1, skewness }, (i + 1) / 1000),
    );
    expect(values.every((value, i) => i === 0 || value >= values[i - 1]!)).toBe(true);
  }
});
