import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { idleLink, LinkAccount } from '../../../src/core/link/account.ts';
import { type Bucket, fullBucket, level, reserve } from '../../../src/core/link/bucket.ts';
import { Utilisation } from '../../../src/core/link/utilisation.ts';

const RATE = 1_000_000;
const DEPTH = 10_000;
const MS = 1_000_000;

describe('the utilisation of a reservation', () => {
  test('is 1 for a sender that sends whatever the bucket lets it, with rests in between or without', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 50 * MS }), { minLength: 1, maxLength: 30 }), (rests) => {
        const utilisation = new Utilisation();
        let bucket = fullBucket(RATE, DEPTH, 0);
        let now = 0;
        for (const rest of rests) {
          now += rest;
          utilisation.begins(now);
          for (let i = 0; i < 20; i++) {
            const { at, next } = reserve(bucket, now, 1_000);
            utilisation.departed(at, 1_000, bucket);
            bucket = next;
            now = at;
          }
        }
        expect(utilisation.fraction).toBeGreaterThan(0.999);
      }),
    );
  });

  test('counts what flowed over while something waited, and only then: sent + lost is what flowed in', () => {
    const step = fc.record({
      restNs: fc.nat({ max: 30 * MS }),
      lateNs: fc.array(fc.nat({ max: 30 * MS }), { minLength: 1, maxLength: 10 }),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 10 }), (steps) => {
        const utilisation = new Utilisation();
        let bucket: Bucket = fullBucket(RATE, DEPTH, 0);
        let [now, sent, granted] = [0, 0, 0];
        for (const { restNs, lateNs } of steps) {
          now += restNs;
          utilisation.begins(now);
          const saved = level(bucket, now);
          const beganNs = now;
          let lost = 0;
          for (const late of lateNs) {
            const at = reserve(bucket, now + late, 2_000).at;
            lost += Math.max(0, level(bucket, now) + (RATE * (at - now)) / 1e9 - DEPTH);
            utilisation.departed(at, 2_000, bucket);
            bucket = reserve(bucket, at, 2_000).next;
            now = at;
            sent += 2_000;
          }
          const left = level(bucket, now);
          // What was saved up, and what flowed in, was sent, was lost, or is left.
          expect(saved + (RATE * (now - beganNs)) / 1e9).toBeCloseTo(2_000 * lateNs.length + lost + left, 1);
          granted += 2_000 * lateNs.length + lost;
        }
        expect(utilisation.fraction).toBeCloseTo(sent / granted, 6);
      }),
    );
  });

  test('is bytes / (rate × time) for a sender that begins with an empty bucket and is always late', () => {
    const utilisation = new Utilisation();
    let bucket = reserve(fullBucket(RATE, DEPTH, 0), 0, DEPTH).next;
    utilisation.begins(0);
    for (let i = 1; i <= 100; i++) {
      // Twice the time in which the bucket fills: half of it is lost.
      utilisation.departed(i * 20 * MS, DEPTH, bucket);
      bucket = reserve(bucket, i * 20 * MS, DEPTH).next;
    }
    expect(utilisation.fraction).toBeCloseTo((100 * DEPTH) / (RATE * 2), 9);
  });

  test('of nothing, or without a reservation, is none', () => {
    expect(new Utilisation().fraction).toBeNull();
    expect(idleLink(4_096)).toMatchObject({ utilisation: null, worstExcessBytes: null, sentBytes: 0 });
    const unreserved = new LinkAccount(4_096, 0);
    unreserved.departed(5, 99, undefined);
    expect(unreserved.record(0)).toMatchObject({ utilisation: null, sentBytes: 99 });
    expect(unreserved.record(0).windows.map(({ allowedBytes }) => allowedBytes)).toEqual([null, null, null]);
  });
});

test('a window may hold depth + the highest rate × window', () => {
  const account = new LinkAccount(65_536, 0);
  account.rateChanges(0, 0, 6_250_000);
  account.rateChanges(1e9, 6_250_000, 12_500_001);
  expect(account.record(0).windows.map(({ windowNs, allowedBytes }) => [windowNs, allowedBytes])).toEqual([
    [10e6, 65_536 + 125_000],
    [100e6, 65_536 + 1_250_000],
    [1e9, 65_536 + 12_500_001],
  ]);
  expect(account.record(0).reservedBytesPerSecond).toBe(6_250_000);
});
