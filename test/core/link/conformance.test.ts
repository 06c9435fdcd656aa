import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changeRate, fullBucket, reserve } from '../../../src/core/link/bucket.ts';
import { conformance, departed, worstExcessBytes } from '../../../src/core/link/conformance.ts';

/** Bytes that left at `atNs`, the rate having been `rate` since the departure before. */
interface Departure {
  readonly atNs: number;
  readonly bytes: number;
  readonly rate: number;
}

const account = (depth: number, sent: readonly Departure[], start = 0) =>
  sent.reduce(
    (soFar, { atNs, bytes, rate }) => departed(soFar, atNs, bytes, rate),
    conformance(depth, start),
  );

/** The definition: for every pair of departures, bytes in [s, t] − (depth + ∫ rate), exact, in 10⁻⁹ bytes. */
function worstByDefinition(depth: number, sent: readonly Departure[]): bigint {
  const excesses = sent.flatMap((_, last) => {
    let allowed = BigInt(depth) * 1_000_000_000n;
    let bytes = 0n;
    const ending: bigint[] = [];
    for (let first = last; first >= 0; first--) {
      bytes += BigInt(sent[first]!.bytes) * 1_000_000_000n;
      ending.push(bytes - allowed);
      if (first > 0) allowed += BigInt(sent[first]!.rate) * BigInt(sent[first]!.atNs - sent[first - 1]!.atNs);
    }
    return ending;
  });
  return excesses.reduce((most, excess) => (excess > most ? excess : most));
}

const departures = fc
  .array(
    fc.record({
      afterNs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2e9 })),
      bytes: fc.integer({ min: 1, max: 100_000 }),
      rate: fc.constantFrom(1, 999, 50_000, 6_250_000, 999_999_937),
    }),
    { minLength: 1, maxLength: 20 },
  )
  .map((steps) => {
    let atNs = 0;
    return steps.map(({ afterNs, bytes, rate }): Departure => ({ atNs: (atNs += afterNs), bytes, rate }));
  });

describe('the account', () => {
  test('is the definition over all intervals, in one pass, the rate changing as it likes', () => {
    fc.assert(
      fc.property(departures, fc.integer({ min: 1, max: 200_000 }), (sent, depth) => {
        const exact = Number(worstByDefinition(depth, sent)) / 1e9;
        expect(Math.abs(account(depth, sent).worstExcess - exact)).toBeLessThan(1e-3);
      }),
      { numRuns: 500 },
    );
  });

  test('counts every byte, and does not care when it was opened', () => {
    fc.assert(
      fc.property(departures, fc.nat({ max: 1e9 }), (sent, early) => {
        const shifted = sent.map((departure) => ({ ...departure, atNs: departure.atNs + early }));
        const [opened, openedEarly] = [account(5_000, sent), account(5_000, shifted)];
        expect(opened.sentBytes).toBe(sent.reduce((sum, { bytes }) => sum + bytes, 0));
        expect(Math.abs(opened.worstExcess - openedEarly.worstExcess)).toBeLessThan(1e-3);
      }),
    );
  });

  test('of nothing sent is a whole depth below the bound', () => {
    expect(worstExcessBytes(conformance(4_096, 0))).toBe(-4_096);
  });
});

describe('what a bucket let through', () => {
  test('exceeds by at most 0, through changes of the rate', () => {
    const request = fc.record({
      idleNs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5e7 })),
      bytes: fc.integer({ min: 1, max: 65_000 }),
      rate: fc.option(fc.constantFrom(6_250_000, 3_333_333, 12_500_000, 125_000_000), {
        nil: undefined,
        freq: 2,
      }),
    });
    fc.assert(
      fc.property(fc.array(request, { minLength: 1, maxLength: 40 }), (requests) => {
        let bucket = fullBucket(6_250_000, 65_536, 0);
        let soFar = conformance(65_536, 0);
        let now = 0;
        for (const { idleNs, bytes, rate } of requests) {
          if (rate !== undefined) bucket = changeRate(bucket, rate, now);
          const { at, next } = reserve(bucket, now + idleNs, bytes);
          bucket = next;
          now = at;
          soFar = departed(soFar, at, bytes, next.rateBytesPerSecond);
        }
        expect(worstExcessBytes(soFar)).toBeLessThanOrEqual(0);
        expect(Object.is(worstExcessBytes(soFar), -0)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('exceeds by exactly 0 when the depth is used up and the sender never rests', () => {
    let bucket = fullBucket(1_000_000, 10_000, 0);
    let soFar = conformance(10_000, 0);
    for (let i = 0; i < 100; i++) {
      const { at, next } = reserve(bucket, 0, 1_000);
      bucket = next;
      soFar = departed(soFar, at, 1_000, 1_000_000);
    }
    expect(worstExcessBytes(soFar)).toBe(0);
  });

  test('exceeds by exactly what is smuggled past it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 99 }),
        fc.integer({ min: 1, max: 100_000 }),
        (where, smuggled) => {
          let bucket = fullBucket(1_000_000, 10_000, 0);
          let soFar = conformance(10_000, 0);
          for (let i = 0; i < 100; i++) {
            const { at, next } = reserve(bucket, 0, 1_000);
            bucket = next;
            soFar = departed(soFar, at, 1_000 + (i === where ? smuggled : 0), 1_000_000);
          }
          expect(worstExcessBytes(soFar)).toBe(smuggled);
          expect(soFar.sentBytes).toBe(100_000 + smuggled);
        },
      ),
    );
  });

  test('exceeds by what a nanosecond too early is worth', () => {
    const tooEarly = [
      { atNs: 0, bytes: 1_000, rate: 5_000_000_000 },
      { atNs: 199, bytes: 1_000, rate: 5_000_000_000 },
    ];
    expect(worstExcessBytes(account(1_000, tooEarly))).toBe(5);
    const inTime = [tooEarly[0]!, { ...tooEarly[1]!, atNs: 200 }];
    expect(worstExcessBytes(account(1_000, inTime))).toBe(0);
  });
});

describe('the record', () => {
  test('rounds a fraction of a byte up, but for a thousandth, which is the arithmetic’s own', () => {
    const of = (worstExcess: number) => worstExcessBytes({ ...conformance(1, 0), worstExcess });
    expect(of(0.5)).toBe(1);
    expect(of(0.0009)).toBe(0);
    expect(of(0.002)).toBe(1);
    expect(of(3)).toBe(3);
    expect(of(-2.5)).toBe(-2);
    expect(Object.is(of(-0.5), 0)).toBe(true);
  });
});
