import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { nextSlot } from '../../../src/core/recording/slots.ts';

describe('samples at an interval', () => {
  test('are waited for when there is time, and taken late when the one before took a little too long', () => {
    expect(nextSlot(0, 3, 10, 99)).toEqual({ slot: 1, missed: 0 });
    expect(nextSlot(1, 19, 10, 99)).toEqual({ slot: 2, missed: 0 });
    expect(nextSlot(1, 29, 10, 99)).toEqual({ slot: 2, missed: 0 });
  });

  test('are missed when the next one is due', () => {
    expect(nextSlot(1, 30, 10, 99)).toEqual({ slot: 3, missed: 1 });
    expect(nextSlot(1, 75, 10, 99)).toEqual({ slot: 7, missed: 5 });
  });

  test('end with the last, which is taken however late', () => {
    expect(nextSlot(1, 5_000, 10, 20)).toEqual({ slot: 20, missed: 18 });
    expect(nextSlot(20, 5_000, 10, 20)).toEqual({ slot: 21, missed: 0 });
  });

  test('are each either taken or missed, however long they take', () => {
    const scans = fc.array(fc.double({ min: 0, max: 95, noNaN: true }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(scans, fc.integer({ min: 1, max: 60 }), (scans, last) => {
        let elapsed = 0;
        let taken = 0;
        let next = nextSlot(0, elapsed, 10, last);
        let missed = next.missed;
        while (next.slot <= last) {
          elapsed = Math.max(elapsed, next.slot * 10) + scans[taken % scans.length]!;
          taken++;
          next = nextSlot(next.slot, elapsed, 10, last);
          missed += next.missed;
        }
        expect(taken + missed).toBe(last);
      }),
    );
  });
});
