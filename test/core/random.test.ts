import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Random } from '../../src/core/random.ts';

const bits = (random: Random, count: number) => Array.from({ length: count }, () => random.bits());

/** xoshiro128** 1.1 as its authors write it, over whole numbers without a size. */
function reference(words: readonly number[], count: number): number[] {
  const mask = 0xffff_ffffn;
  const rotl = (x: bigint, k: bigint) => ((x << k) | (x >> (32n - k))) & mask;
  let [s0, s1, s2, s3] = words.map(BigInt) as [bigint, bigint, bigint, bigint];
  return Array.from({ length: count }, () => {
    const result = (rotl((s1 * 5n) & mask, 7n) * 9n) & mask;
    const t = (s1 << 9n) & mask;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= t;
    s3 = rotl(s3, 11n);
    return Number(result);
  });
}

/** Σ (observed − expected)² / expected: about its degrees of freedom, give or take √(2·df). */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
}

/** Five standard deviations of chi-square on either side: what is too even is as wrong as what is uneven. */
function expectUniform(counts: readonly number[]): void {
  const freedom = counts.length - 1;
  expect(chiSquare(counts)).toBeLessThan(freedom + 5 * Math.sqrt(2 * freedom));
  if (freedom > 60) expect(chiSquare(counts)).toBeGreaterThan(freedom - 5 * Math.sqrt(2 * freedom));
}

describe('the generator', () => {
  test('gives the numbers of the reference implementation from the state 1, 2, 3, 4 (as rand_xoshiro tests it)', () => {
    expect(bits(new Random(Uint32Array.of(1, 2, 3, 4)), 10)).toEqual([
      11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
    ]);
  });

  test('is xoshiro128** from any state', () => {
    const word = fc.oneof(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1),
    );
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), (words) => {
        expect(bits(new Random(Uint32Array.from(words)), 40)).toEqual(reference(words, 40));
      }),
    );
  });

  test('keeps its whole state in the words it was given: whoever copies them copies the future', () => {
    const memory = new Uint32Array(64);
    memory.fill(0xdead_beef);
    const random = new Random(memory.subarray(8, 12));
    random.reseed(7);
    bits(random, 13);
    const elsewhere = new Random(memory.slice(8, 12));
    expect(bits(elsewhere, 20)).toEqual(bits(random, 20));
    expect(memory.filter((word) => word === 0xdead_beef).length).toBe(60);
  });
});

describe('seeds', () => {
  test('the same seed and stream give the same numbers', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat({ max: 20 }), (seed, stream) => {
        expect(bits(Random.seeded(seed, stream), 8)).toEqual(bits(Random.seeded(seed, stream), 8));
      }),
    );
  });

  test('reseeding forgets everything that was drawn before', () => {
    const random = Random.seeded(1);
    bits(random, 5);
    random.reseed(2, 3);
    expect(bits(random, 8)).toEqual(bits(Random.seeded(2, 3), 8));
  });

  test('no two of 100 seeds × 5 streams begin alike, seeds past 2^32 included', () => {
    const seeds = Array.from({ length: 100 }, (_, i) => (i < 50 ? i : 2 ** 32 * (i - 49) + (i % 3)));
    const beginnings = seeds.flatMap((seed) =>
      [0, 1, 2, 3, 4].map((stream) => bits(Random.seeded(seed, stream), 2).join()),
    );
    expect(new Set(beginnings).size).toBe(500);
  });

  test('neighbouring seeds and streams have nothing to do with each other: half of the bits differ', () => {
    const ones = (word: number) => word.toString(2).replaceAll('0', '').length;
    const differing = (a: Random, b: Random) => {
      const others = bits(b, 500);
      return bits(a, 500).reduce((sum, word, i) => sum + ones((word ^ others[i]!) >>> 0), 0) / 16_000;
    };
    for (let seed = 0; seed < 20; seed++) {
      expect(differing(Random.seeded(seed), Random.seeded(seed + 1))).toBeCloseTo(0.5, 1);
      expect(differing(Random.seeded(9, seed), Random.seeded(9, seed + 1))).toBeCloseTo(0.5, 1);
    }
  });
});

describe('what is drawn', () => {
  test('uniform numbers lie in [0, 1) and are spread evenly', () => {
    const random = Random.seeded(11);
    const counts = Array.from({ length: 100 }, () => 0);
    const values = Array.from({ length: 100_000 }, () => random.uniform());
    expect(values.every((value) => value >= 0 && value < 1)).toBe(true);
    for (const value of values) counts[Math.floor(value * 100)]! += 1;
    expectUniform(counts);
  });

  test('a uniform number is below 1 even when every bit is set', () => {
    const stuck = new Random(Uint32Array.of(1, 2, 3, 4));
    stuck.bits = () => 0xffff_ffff;
    expect(stuck.uniform()).toBe(1 - 2 ** -53);
    expect(stuck.below(7)).toBe(6);
    expect(Number.isFinite(stuck.exponential(1))).toBe(true);
  });

  test('whole numbers below n are spread evenly, n a power of two or not', () => {
    for (const n of [2, 3, 10, 97, 128]) {
      const random = Random.seeded(12, n);
      const counts = Array.from({ length: n }, () => 0);
      for (let i = 0; i < 20_000; i++) counts[random.below(n)]! += 1;
      expectUniform(counts);
    }
  });

  test('each of the 32 bits is set half of the time', () => {
    const random = Random.seeded(13);
    const set = Array.from({ length: 32 }, () => 0);
    for (let i = 0; i < 20_000; i++) {
      const word = random.bits();
      for (let bit = 0; bit < 32; bit++) set[bit]! += (word >>> bit) & 1;
    }
    const fourErrors = 4 * Math.sqrt(20_000 / 4);
    for (const count of set) expect(Math.abs(count - 10_000)).toBeLessThan(fourErrors);
  });

  test('exponential numbers have the given mean, the same standard deviation and are never negative', () => {
    const random = Random.seeded(14);
    const values = Array.from({ length: 100_000 }, () => random.exponential(3));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean - 3)).toBeLessThan((4 * 3) / Math.sqrt(values.length));
    expect(Math.abs(Math.sqrt(variance) / 3 - 1)).toBeLessThan(0.02);
    expect(values.every((value) => value >= 0)).toBe(true);
    expect(values.filter((value) => value > 3 * Math.LN2).length / values.length).toBeCloseTo(0.5, 2);
  });

  test('something happens as often as its probability says, never at 0, always at 1', () => {
    const random = Random.seeded(17);
    for (const probability of [0, 1e-3, 0.25, 0.7, 1]) {
      let count = 0;
      for (let i = 0; i < 40_000; i++) if (random.happens(probability)) count += 1;
      const error = Math.sqrt(40_000 * probability * (1 - probability));
      expect(Math.abs(count - 40_000 * probability)).toBeLessThanOrEqual(4 * error);
    }
  });

  test('as many things are passed over as if each had been asked by itself: k with probability p(1−p)^k, p = 1 − exp(−mean)', () => {
    for (const average of [0.05, 0.7, 3]) {
      const random = Random.seeded(18);
      const probability = 1 - Math.exp(-average);
      const counts = Array.from({ length: 12 }, () => 0);
      for (let i = 0; i < 40_000; i++) counts[Math.min(11, random.skips(average))]! += 1;
      for (const [k, count] of counts.entries()) {
        const chance = k === 11 ? (1 - probability) ** 11 : probability * (1 - probability) ** k;
        const error = Math.sqrt(40_000 * chance * (1 - chance));
        expect(Math.abs(count - 40_000 * chance), `mean ${average}, k = ${k}`).toBeLessThanOrEqual(
          4.5 * error + 1,
        );
      }
    }
    expect(Random.seeded(1).skips(0)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('shuffling', () => {
  test('leaves a permutation of what was there, in place', () => {
    fc.assert(
      fc.property(fc.uint32Array({ maxLength: 50 }), fc.nat(), (values, seed) => {
        const shuffled = values.slice();
        expect(Random.seeded(seed).shuffle(shuffled)).toBe(shuffled);
        expect([...shuffled].sort((a, b) => a - b)).toEqual([...values].sort((a, b) => a - b));
      }),
    );
  });

  test('draws as below does, one number for each place from the last on, and goes on where it ended', () => {
    fc.assert(
      fc.property(fc.uint32Array({ maxLength: 50 }), fc.nat(), (values, seed) => {
        const [one, other] = [Random.seeded(seed), Random.seeded(seed)];
        const expected = values.slice();
        for (let i = expected.length - 1; i > 0; i--) {
          const j = other.below(i + 1);
          [expected[i], expected[j]] = [expected[j]!, expected[i]!];
        }
        expect(one.shuffle(values.slice())).toEqual(expected);
        expect(one.bits()).toBe(other.bits());
      }),
    );
  });

  test('gives each of the 24 orders of four things equally often', () => {
    const random = Random.seeded(15);
    const counts = new Map<string, number>();
    for (let i = 0; i < 48_000; i++) {
      const order = random.shuffle(Uint32Array.of(0, 1, 2, 3)).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    expectUniform([...counts.values()]);
  });

  test('moves every thing everywhere: each place of ten holds each of ten things equally often', () => {
    const random = Random.seeded(16);
    const counts = Array.from({ length: 100 }, () => 0);
    for (let i = 0; i < 20_000; i++) {
      const values = random.shuffle(Uint32Array.from({ length: 10 }, (_, index) => index));
      values.forEach((value, place) => {
        counts[place * 10 + value]! += 1;
      });
    }
    // 81 degrees of freedom, not 99: every row and every column adds up to 20,000.
    expect(chiSquare(counts)).toBeLessThan(81 + 5 * Math.sqrt(2 * 81));
    expect(chiSquare(counts)).toBeGreaterThan(81 - 5 * Math.sqrt(2 * 81));
  });
});

test('something occurs with probability 1 − exp(−mean), at every mean', () => {
  const random = Random.seeded(11);
  const draws = 40_000;
  for (const mean of [0, 0.001, 0.1, 0.7, 1, 2.5, 8, 40]) {
    let occurred = 0;
    for (let draw = 0; draw < draws; draw++) if (random.occurs(mean)) occurred += 1;
    const probability = -Math.expm1(-mean);
    const deviation = Math.sqrt(Math.max(1e-9, probability * (1 - probability)) / draws);
    expect(Math.abs(occurred / draws - probability), `mean ${mean}`).toBeLessThanOrEqual(4 * deviation);
  }
});

describe('32 draws at once', () => {
  test('happen with the probability, each of them and independently of its neighbour', () => {
    const random = Random.seeded(17);
    const words = 4_000;
    const row = new Uint32Array(3);
    for (const probability of [0, 2 ** -32, 0.001, 0.25, 0.49, 0.9, 1]) {
      const counts = new Float64Array(32);
      let both = 0;
      for (let word = 0; word < words; word++) {
        random.happenings(row, probability);
        const drawn = row[word % row.length]!;
        for (let bit = 0; bit < 32; bit++) counts[bit]! += (drawn >>> bit) & 1;
        for (let pairs = drawn & (drawn >>> 1) & 0x5555_5555; pairs !== 0; pairs &= pairs - 1) both += 1;
      }
      const within = (count: number, draws: number, expected: number) => {
        const deviation = Math.sqrt(Math.max(1e-9, expected * (1 - expected)) / draws);
        expect(Math.abs(count / draws - expected), `p = ${probability}`).toBeLessThanOrEqual(5 * deviation);
      };
      for (const count of counts) within(count, words, probability);
      within(both, words * 16, probability ** 2);
    }
  });
});
