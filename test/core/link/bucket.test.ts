import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type Bucket,
  changeRate,
  DEEPEST_BUCKET_BYTES,
  fullBucket,
  level,
  reserve,
  reserveRow,
  withheld,
} from '../../../src/core/link/bucket.ts';

/** A departure, and what the sender had to wait for it. */
interface Departure {
  readonly readyNs: number;
  readonly atNs: number;
  readonly bytes: number;
}

interface Request {
  readonly idleNs: number;
  readonly bytes: number;
}

const SECOND = 1_000_000_000n;
const THOUSANDTH = SECOND / 1_000n;

const rates = fc.oneof(
  fc.integer({ min: 1, max: 1_000 }),
  fc.integer({ min: 1_000, max: 1_250_000_000 }),
  fc.constantFrom(6_250_000, 6_553_600, 999_999_937, 3, 7, 1_000_000_000),
);
const depths = fc.oneof(
  fc.integer({ min: 1, max: 100_000 }),
  fc.constantFrom(1, 65_536, DEEPEST_BUCKET_BYTES),
);
/** The clock of a host that has been up for two months reads 5e15. */
const starts = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5e15 }));

/**
 * Bytes and pauses that keep the bucket sometimes empty, sometimes full and mostly in between. It fills up within
 * a quarter of an hour, so that time stays within what a double counts in nanoseconds.
 */
const scenarios = fc.tuple(rates, depths, starts).chain(([rate, most, start]) => {
  const depth = Math.min(most, rate * 1_000);
  const drainNs = Math.ceil((depth / rate) * 1e9);
  const request = fc.record({
    idleNs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: drainNs })),
    bytes: fc.oneof(fc.constant(0), fc.constant(depth), fc.integer({ min: 1, max: depth })),
  });
  const requests = fc.array(request, { minLength: 1, maxLength: 25 });
  return fc.record({
    rate: fc.constant(rate),
    depth: fc.constant(depth),
    start: fc.constant(start),
    requests,
    rate2: rates.map((other) => Math.max(other, Math.ceil(depth / 1_000))),
    requests2: requests,
  });
});

/** The invariant that every operation keeps (after firecracker's rate limiter). */
function valid({ rateBytesPerSecond, fullAtNs, fraction }: Bucket): boolean {
  return Number.isSafeInteger(fullAtNs) && fraction >= 0 && fraction < rateBytesPerSecond;
}

/** Each request comes `idleNs` after the one before has left, as a sender that sleeps does it. */
function send(bucket: Bucket, start: number, requests: readonly Request[]): Departure[] {
  let current = bucket;
  let now = start;
  return requests.map(({ idleNs, bytes }) => {
    const readyNs = now + idleNs;
    const { at, next } = reserve(current, readyNs, bytes);
    current = next;
    now = at;
    expect(valid(current)).toBe(true);
    return { readyNs, atNs: at, bytes };
  });
}

/** A nanosecond's worth less than the depth, so that rounding a departure up to a whole nanosecond costs nothing. */
function withRoom(rate: number, depth: number): (request: Request) => Request {
  const most = Math.max(0, depth - Math.ceil(rate / 1e9));
  return ({ idleNs, bytes }) => ({ idleNs, bytes: Math.min(bytes, most) });
}

/**
 * The definition itself, exact: bytes sent in [s, t] − (depth + rate·(t − s)) for every pair of departures, the
 * last at `last`, in units of 10⁻⁹ bytes.
 */
function worstExcessEndingAt(sent: readonly Departure[], last: number, rate: number, depth: number): bigint {
  let bytes = 0n;
  let worst = -BigInt(depth) * SECOND;
  for (let first = last; first >= 0; first--) {
    bytes += BigInt(sent[first]!.bytes);
    const ns = BigInt(sent[last]!.atNs) - BigInt(sent[first]!.atNs);
    const excess = (bytes - BigInt(depth)) * SECOND - BigInt(rate) * ns;
    if (excess > worst) worst = excess;
  }
  return worst;
}

describe('in every interval at most depth + rate × interval leaves', () => {
  test('over all intervals, not one nanosecond’s worth more, when no reservation takes the whole depth', () => {
    fc.assert(
      fc.property(scenarios, ({ rate, depth, start, requests }) => {
        const sent = send(fullBucket(rate, depth, start), start, requests.map(withRoom(rate, depth)));
        for (let last = 0; last < sent.length; last++) {
          expect(worstExcessEndingAt(sent, last, rate, depth)).toBeLessThanOrEqual(0n);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('and in any case less than a nanosecond’s worth more', () => {
    fc.assert(
      fc.property(scenarios, ({ rate, depth, start, requests }) => {
        const sent = send(fullBucket(rate, depth, start), start, requests);
        for (let last = 0; last < sent.length; last++) {
          expect(worstExcessEndingAt(sent, last, rate, depth)).toBeLessThan(BigInt(rate));
        }
      }),
      { numRuns: 400 },
    );
  });

  // A slot of 1/26 s is no whole number of ns: what left late by the rounding must not be made up for.
  test('also when every reservation takes the whole depth', () => {
    const whole = Array.from({ length: 3 }, () => ({ idleNs: 0, bytes: 1 }));
    const sent = send(fullBucket(26, 1, 0), 0, whole);
    for (let last = 0; last < sent.length; last++) {
      expect(worstExcessEndingAt(sent, last, 26, 1)).toBeLessThanOrEqual(0n);
    }
  });

  test('and never later than it must be: one nanosecond earlier would have been too much', () => {
    fc.assert(
      fc.property(scenarios, ({ rate, depth, start, requests }) => {
        const sent = send(fullBucket(rate, depth, start), start, requests);
        for (const [index, departure] of sent.entries()) {
          expect(departure.atNs).toBeGreaterThanOrEqual(departure.readyNs);
          if (departure.atNs === departure.readyNs) continue;
          const earlier = sent.with(index, { ...departure, atNs: departure.atNs - 1 });
          expect(worstExcessEndingAt(earlier, index, rate, depth)).toBeGreaterThan(0n);
        }
      }),
      { numRuns: 400 },
    );
  });

  test('also when reservations are made ahead, all at one instant', () => {
    fc.assert(
      fc.property(scenarios, ({ rate, depth, start, requests }) => {
        let bucket = fullBucket(rate, depth, start);
        const sent = requests.map(withRoom(rate, depth)).map(({ bytes }) => {
          const { at, next } = reserve(bucket, start, bytes);
          bucket = next;
          return { readyNs: start, atNs: at, bytes };
        });
        for (let last = 0; last < sent.length; last++) {
          if (last > 0) expect(sent[last]!.atNs).toBeGreaterThanOrEqual(sent[last - 1]!.atNs);
          expect(worstExcessEndingAt(sent, last, rate, depth)).toBeLessThanOrEqual(0n);
        }
      }),
    );
  });
});

describe('nothing drifts', () => {
  test.each([
    [6_250_000, 65_536, 1],
    [999_999_937, 4_096, 7],
    [3, 10, 1],
    [1_250_000_000, 8_224, 4_112],
  ])('100,000 reservations in a row at %i bytes a second take exactly the time of their sum', (rate, depth, bytes) => {
    let bucket = fullBucket(rate, depth, 0);
    let now = 0;
    for (let i = 0; i < 100_000; i++) {
      const { at, next } = reserve(bucket, now, bytes);
      bucket = next;
      now = at;
    }
    const owed = (BigInt(bytes) * 100_000n - BigInt(depth)) * SECOND;
    expect(BigInt(now)).toBe((owed + BigInt(rate) - 1n) / BigInt(rate));
  });

  test('however a burst is cut up, the bucket that is left is the same', () => {
    fc.assert(
      fc.property(rates, fc.array(fc.integer({ min: 0, max: 4_096 }), { maxLength: 20 }), (rate, pieces) => {
        const total = pieces.reduce((sum, bytes) => sum + bytes, 0);
        const whole = reserve(fullBucket(rate, 100_000, 50), 50, total).next;
        const cut = pieces.reduce(
          (bucket, bytes) => reserve(bucket, 50, bytes).next,
          fullBucket(rate, 100_000, 50),
        );
        expect(cut).toEqual(whole);
      }),
    );
  });
});

describe('a row of equal reservations', () => {
  test('is the same as making them one after another, each as soon as the one before it has left', () => {
    fc.assert(
      fc.property(scenarios, fc.nat({ max: 60 }), ({ rate, depth, start, requests }, length) => {
        // A bucket that fills up within a nanosecond is full again before it has left.
        fc.pre(depth > (2 * rate) / 1e9);
        const { bucket, now } = after(fullBucket(rate, depth, start), start, requests.slice(1));
        const { bytes, idleNs } = requests[0]!;
        const instants = new Float64Array(length);
        const left = reserveRow(bucket, now + idleNs, bytes, instants);
        let [one, at] = [bucket, now + idleNs];
        const expected = Array.from(instants, () => {
          ({ next: one, at } = reserve(one, at, bytes));
          return at;
        });
        expect([...instants]).toEqual(expected);
        expect(left).toEqual(one);
        expect(valid(left)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('is the same where a portion takes whole nanoseconds, from any level of the bucket', () => {
    const portions = fc.record({
      gapNs: fc.integer({ min: 1, max: 5_000 }),
      portions: fc.integer({ min: 1, max: 9 }),
    });
    fc.assert(
      fc.property(portions, fc.nat({ max: 30_000 }), fc.nat({ max: 60 }), (whole, idleNs, length) => {
        // A byte takes as many ns as a portion of 1,000 bytes takes µs.
        const bytes = 1_000;
        const rate = 1e12 / whole.gapNs;
        const empty = reserve(fullBucket(rate, whole.portions * bytes, 0), 0, bytes).next;
        const instants = new Float64Array(length);
        const left = reserveRow(empty, idleNs, bytes, instants);
        let [one, at] = [empty, idleNs];
        const expected = Array.from(instants, () => {
          ({ next: one, at } = reserve(one, at, bytes));
          return at;
        });
        expect([...instants]).toEqual(expected);
        expect(left).toEqual(one);
      }),
    );
  });

  test('does not fit either when one of them does not', () => {
    expect(() => reserveRow(fullBucket(1_000, 4_096, 0), 0, 4_097, new Float64Array(2))).toThrow(RangeError);
  });
});

describe('the tokens', () => {
  test('of a full bucket are its depth; what is sent takes a token a byte; idleness brings no more than the depth', () => {
    const full = fullBucket(1_000, 500, 0);
    expect(level(full, 0)).toBe(500);
    const { at, next } = reserve(full, 0, 200);
    expect(at).toBe(0);
    expect(level(next, 0)).toBe(300);
    expect(level(next, 100_000_000)).toBe(400);
    expect(level(next, 200_000_000)).toBe(500);
    expect(level(next, 900_000_000_000)).toBe(500);
  });

  test('lie between zero and the depth whenever a reservation has just left', () => {
    fc.assert(
      fc.property(scenarios, ({ rate, depth, requests }) => {
        let bucket = fullBucket(rate, depth, 0);
        let now = 0;
        for (const { idleNs, bytes } of requests) {
          const { at, next } = reserve(bucket, now + idleNs, bytes);
          const tokens = level(next, at);
          expect(tokens).toBeGreaterThanOrEqual(-1e-6);
          expect(tokens).toBeLessThanOrEqual(depth);
          bucket = next;
          now = at;
        }
      }),
    );
  });

  test('that are there need not be waited for, and one more must be', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 2, max: 100_000 }), fc.nat(), (rate, depth, taken) => {
        const { next } = reserve(fullBucket(rate, depth, 0), 0, taken % depth);
        const left = depth - (taken % depth);
        expect(reserve(next, 0, left).at).toBe(0);
        if (left < depth) expect(reserve(next, 0, left + 1).at).toBe(Math.ceil(1e9 / rate));
      }),
    );
  });
});

describe('a change of rate', () => {
  test('keeps the tokens, to a nanosecond’s worth of the new rate', () => {
    fc.assert(
      fc.property(scenarios, ({ rate, depth, requests, rate2 }) => {
        const { bucket, now } = after(fullBucket(rate, depth, 0), 0, requests);
        const changed = changeRate(bucket, rate2, now);
        expect(valid(changed)).toBe(true);
        expect(changed.rateBytesPerSecond).toBe(rate2);
        expect(changed.depthBytes).toBe(depth);
        expect(Math.abs(level(changed, now) - level(bucket, now))).toBeLessThanOrEqual(rate2 / 1e9 + 1e-6);
      }),
    );
  });

  test('there and back brings not even a thousandth of a byte', () => {
    fc.assert(
      fc.property(scenarios, ({ rate, depth, requests, rate2 }) => {
        const { bucket, now } = after(fullBucket(rate, depth, 0), 0, requests);
        const there = changeRate(bucket, rate2, now);
        const back = changeRate(there, rate, now);
        const least = exactMissing(bucket, now) - THOUSANDTH;
        expect(exactMissing(there, now)).toBeGreaterThanOrEqual(least);
        expect(exactMissing(back, now)).toBeGreaterThanOrEqual(least);
      }),
      { numRuns: 500 },
    );
  });

  // Eleven days of uptime: a double that holds 1e15 ns holds only eighths of a nanosecond beside it.
  test('brings not even a thousandth of a byte on a host that has been up for long', () => {
    const start = 1e15;
    const rate = 199_999_927;
    const requests = Array.from({ length: 8 }, () => ({ idleNs: 0, bytes: 4_112 }));
    const { bucket, now } = after(fullBucket(rate, 65_536, start), start, requests);
    const least = exactMissing(bucket, now) - THOUSANDTH;
    expect(exactMissing(changeRate(bucket, rate, now), now)).toBeGreaterThanOrEqual(least);
  });

  test('lets no more leave over any interval than depth + ∫ rate, nor makes it wait for more than a nanosecond', () => {
    fc.assert(
      fc.property(scenarios, ({ rate, depth, requests, rate2, requests2 }) => {
        const first = fullBucket(rate, depth, 0);
        const before = requests.map(withRoom(rate, depth));
        const { bucket, now } = after(first, 0, before);
        const later = send(changeRate(bucket, rate2, now), now, requests2.map(withRoom(rate2, depth)));
        const sent = [...send(first, 0, before), ...later];
        const credit = (atNs: number) =>
          atNs <= now
            ? BigInt(rate) * BigInt(atNs)
            : BigInt(rate) * BigInt(now) + BigInt(rate2) * BigInt(atNs - now);
        const worst = (last: number, atNs: number) => {
          let bytes = 0n;
          let most = -BigInt(depth) * SECOND;
          for (let index = last; index >= 0; index--) {
            bytes += BigInt(sent[index]!.bytes);
            const from = index === last ? atNs : sent[index]!.atNs;
            const excess = (bytes - BigInt(depth)) * SECOND - (credit(atNs) - credit(from));
            if (excess > most) most = excess;
          }
          return most;
        };
        for (const [last, { atNs, readyNs }] of sent.entries()) {
          expect(worst(last, atNs)).toBeLessThanOrEqual(THOUSANDTH);
          if (atNs > readyNs + 1) expect(worst(last, atNs - 2)).toBeGreaterThan(0n);
        }
      }),
      { numRuns: 300 },
    );
  });
});

/** The bucket, and the time, after the last of the requests has left. */
function after(bucket: Bucket, start: number, requests: readonly Request[]): { bucket: Bucket; now: number } {
  let current = { bucket, now: start };
  for (const { idleNs, bytes } of requests) {
    const { at, next } = reserve(current.bucket, current.now + idleNs, bytes);
    current = { bucket: next, now: at };
  }
  return current;
}

/** Tokens that are missing to a full bucket, in units of 10⁻⁹ bytes. */
function exactMissing({ fullAtNs, fraction, rateBytesPerSecond }: Bucket, now: number): bigint {
  const missing = BigInt(fullAtNs - now) * BigInt(rateBytesPerSecond) + BigInt(fraction);
  return missing < 0n ? 0n : missing;
}

describe('what a bucket refuses', () => {
  test('more bytes than its depth: no wait would ever make them conform', () => {
    const bucket = fullBucket(1_000, 4_096, 0);
    expect(() => reserve(bucket, 0, 4_097)).toThrow(RangeError);
    expect(() => reserve(bucket, 1e15, 4_097)).toThrow(/4097 bytes .* 4096 bytes deep/);
    expect(reserve(bucket, 0, 4_096).at).toBe(0);
  });
});

describe('a row of equal reservations', () => {
  test('is the same as so many single ones, each made when the one before it has left', () => {
    const numbers = fc.record({
      rate: fc.integer({ min: 1, max: 300_000_000 }),
      depth: fc.integer({ min: 1, max: 200_000 }),
      share: fc.double({ min: 0.001, max: 1, noNaN: true }),
      now: fc.nat(1e12),
      count: fc.integer({ min: 1, max: 60 }),
      before: fc.nat(10),
    });
    fc.assert(
      fc.property(numbers, ({ rate, depth, share, now, count, before }) => {
        const bytes = Math.max(1, Math.floor(share * depth));
        let single = fullBucket(rate, depth, now);
        let at = now;
        for (let i = 0; i < before; i++) ({ at, next: single } = reserve(single, at, 1));
        const row = new Float64Array(count);
        const after = reserveRow(single, at, bytes, row);
        const expected = Array.from(row, () => {
          ({ at, next: single } = reserve(single, at, bytes));
          return at;
        });
        expect([...row]).toEqual(expected);
        expect(after).toEqual(single);
      }),
      { numRuns: 500 },
    );
  });
});

describe('bytes that took their tokens and wait in a queue', () => {
  const waiting = fc
    .tuple(
      rates,
      depths,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
    )
    .map(([rate, depth, taken, late]) => ({
      depth: Math.min(depth, rate * 1_000),
      rate,
      taken: Math.floor(taken * Math.min(depth, rate * 1_000)),
      late: Math.floor(late * Math.min(depth, rate * 1_000)),
    }));

  test('leave room for no more beside them than the depth, and take no tokens that are not there', () => {
    fc.assert(
      fc.property(waiting, ({ rate, depth, taken, late }) => {
        const { next } = reserve(fullBucket(rate, depth, 0), 0, taken);
        const held = withheld(next, late, 0);
        expect(valid(held)).toBe(true);
        expect(level(held, 0)).toBeLessThanOrEqual(depth - late + 1e-3);
        expect(level(held, 0)).toBeLessThanOrEqual(level(next, 0) + 1e-3);
        if (taken >= late) expect(held).toEqual(next);
      }),
    );
  });
});
