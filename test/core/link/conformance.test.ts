import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changeRate, fullBucket, reserve } from '../../../src/core/link/bucket.ts';
import { Conformance } from '../../../src/core/link/conformance.ts';

/** Bytes that left at `atNs`, the rate having been `rate` since the departure before. */
interface Departure {
  readonly atNs: number;
  readonly bytes: number;
  readonly rate: number;
}

function account(depth: number, sent: readonly Departure[]): Conformance {
  const conformance = new Conformance(depth, 0);
  for (const { atNs, bytes, rate } of sent) conformance.departed(atNs, bytes, rate);
  return conformance;
}

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

const departures = (unitNs: number, rates: readonly number[]) =>
  fc
    .array(
      fc.record({
        units: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2e9 / unitNs })),
        bytes: fc.integer({ min: 1, max: 100_000 }),
        rate: fc.constantFrom(...rates),
      }),
      { minLength: 1, maxLength: 20 },
    )
    .map((steps) => {
      let atNs = 0;
      return steps.map(
        ({ units, bytes, rate }): Departure => ({ atNs: (atNs += units * unitNs), bytes, rate }),
      );
    });

/** In a millisecond each of these rates carries a whole number of bytes. */
const wholeBytes = departures(1e6, [1_000, 50_000, 6_250_000, 999_999_000]);
const anyBytes = departures(1, [1, 999, 50_001, 6_250_000, 999_999_937]);
const depths = fc.integer({ min: 1, max: 200_000 });

describe('the account', () => {
  test('is the definition over all intervals, in one pass, the rate changing as it likes', () => {
    fc.assert(
      fc.property(wholeBytes, depths, (sent, depth) => {
        expect(BigInt(account(depth, sent).worstExcessBytes) * 1_000_000_000n).toBe(
          worstByDefinition(depth, sent),
        );
      }),
      { numRuns: 500 },
    );
  });

  test('rounds a fraction of a byte up, but for a thousandth, which is the arithmetic’s own', () => {
    fc.assert(
      fc.property(anyBytes, depths, (sent, depth) => {
        const exact = Number(worstByDefinition(depth, sent)) / 1e9;
        const { worstExcessBytes } = account(depth, sent);
        expect(worstExcessBytes).toBeGreaterThanOrEqual(exact - 0.002);
        expect(worstExcessBytes).toBeLessThan(exact + 1);
      }),
      { numRuns: 500 },
    );
    const excess = (secondAtNs: number) =>
      account(1_000, [
        { atNs: 0, bytes: 1_000, rate: 1_000_000 },
        { atNs: secondAtNs, bytes: 1_000, rate: 1_000_000 },
      ]).worstExcessBytes;
    // A nanosecond is worth a thousandth of a byte.
    expect([excess(1_000_000), excess(999_999), excess(999_998), excess(999_000)]).toEqual([0, 0, 1, 1]);
    expect(Object.is(excess(1_000_000), 0)).toBe(true);
  });

  test('counts every byte, and does not care when it was opened', () => {
    fc.assert(
      fc.property(wholeBytes, fc.nat({ max: 1_000 }), (sent, early) => {
        const shifted = sent.map((departure) => ({ ...departure, atNs: departure.atNs + early * 1e6 }));
        const [opened, openedEarly] = [account(5_000, sent), account(5_000, shifted)];
        expect(opened.sentBytes).toBe(sent.reduce((sum, { bytes }) => sum + bytes, 0));
        expect(openedEarly.worstExcessBytes).toBe(opened.worstExcessBytes);
      }),
    );
  });

  test('of a row of equal departures is that of each by itself', () => {
    const gaps = fc.array(fc.nat({ max: 1e6 }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(anyBytes, gaps, fc.integer({ min: 1, max: 9_000 }), depths, (sent, row, bytes, depth) => {
        const rate = 6_250_000;
        let atNs = sent.at(-1)!.atNs;
        const instants = Float64Array.from(row, (gap) => (atNs += gap));
        const inOne = account(depth, sent);
        inOne.departedRow(instants, bytes, rate);
        const each = account(depth, [...sent, ...Array.from(instants, (at) => ({ atNs: at, bytes, rate }))]);
        expect(inOne.worstExcessBytes).toBe(each.worstExcessBytes);
        expect(inOne.sentBytes).toBe(each.sentBytes);
        for (const both of [inOne, each]) both.departed(atNs + 1_000, 70_000, rate);
        expect(inOne.worstExcessBytes).toBe(each.worstExcessBytes);
      }),
    );
  });

  test('of nothing sent is a whole depth below the bound', () => {
    expect(new Conformance(4_096, 0).worstExcessBytes).toBe(-4_096);
    expect(new Conformance(4_096, 0).sentBytes).toBe(0);
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
        const soFar = new Conformance(65_536, 0);
        let now = 0;
        for (const { idleNs, bytes, rate } of requests) {
          if (rate !== undefined) bucket = changeRate(bucket, rate, now);
          const { at, next } = reserve(bucket, now + idleNs, bytes);
          bucket = next;
          now = at;
          soFar.departed(at, bytes, next.rateBytesPerSecond);
        }
        expect(soFar.worstExcessBytes).toBeLessThanOrEqual(0);
        expect(Object.is(soFar.worstExcessBytes, -0)).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  test('exceeds by exactly 0 when the depth is used up and the sender never rests', () => {
    let bucket = fullBucket(1_000_000, 10_000, 0);
    const soFar = new Conformance(10_000, 0);
    for (let i = 0; i < 100; i++) {
      const { at, next } = reserve(bucket, 0, 1_000);
      bucket = next;
      soFar.departed(at, 1_000, 1_000_000);
    }
    expect(soFar.worstExcessBytes).toBe(0);
  });

  test('exceeds by exactly what is smuggled past it', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 99 }),
        fc.integer({ min: 1, max: 100_000 }),
        (where, smuggled) => {
          let bucket = fullBucket(1_000_000, 10_000, 0);
          const soFar = new Conformance(10_000, 0);
          for (let i = 0; i < 100; i++) {
            const { at, next } = reserve(bucket, 0, 1_000);
            bucket = next;
            soFar.departed(at, 1_000 + (i === where ? smuggled : 0), 1_000_000);
          }
          expect(soFar.worstExcessBytes).toBe(smuggled);
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
    expect(account(1_000, tooEarly).worstExcessBytes).toBe(5);
    const inTime = [tooEarly[0]!, { ...tooEarly[1]!, atNs: 200 }];
    expect(account(1_000, inTime).worstExcessBytes).toBe(0);
  });
});
