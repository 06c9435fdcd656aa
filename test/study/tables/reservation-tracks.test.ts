import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reservationEvents, servedWithin } from '../../../src/study/tables/reservation-tracks.ts';

const slices = (pieces: readonly (readonly [gapNs: number, ranNs: number])[]) => {
  let atNs = 0;
  return pieces.map(([gapNs, ranNs]) => {
    const startNs = atNs + gapNs;
    atNs = startNs + ranNs;
    return { name: 'guest', startNs, endNs: atNs, processor: 0 };
  });
};

describe('what is served within the last period', () => {
  test('is the overlap of the slices with it', () => {
    const piece = fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 50 }));
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 20 }),
        fc.integer({ min: 1, max: 100 }),
        (pieces, periodNs) => {
          const own = slices(pieces);
          for (const { atNs, servedNs } of servedWithin(own, periodNs)) {
            const overlaps = own.map(({ startNs, endNs }) =>
              Math.max(0, Math.min(endNs, atNs) - Math.max(startNs, atNs - periodNs)),
            );
            expect(servedNs).toBeCloseTo(
              overlaps.reduce((sum, ns) => sum + ns, 0),
              6,
            );
          }
        },
      ),
    );
  });

  test('of a server that gets Q in every period is Q', () => {
    const own = slices(Array.from({ length: 10 }, () => [6, 4] as const));
    const full = servedWithin(own, 10).filter(({ atNs }) => atNs >= 10 && atNs <= 100);
    expect(new Set(full.map(({ servedNs }) => servedNs))).toEqual(new Set([4]));
  });
});

test('a reservation has a track and a counter, and who has none has neither', () => {
  const own = slices([[0, 4e6]]);
  const events = reservationEvents({ guest: { budgetNs: 4e6, periodNs: 10e6 }, sender: null }, own);
  expect(events.filter(({ ph }) => ph === 'M').map(({ args }) => args?.name)).toEqual([
    'CPU reservations',
    'guest, 4 of 10 ms',
  ]);
  expect(events.filter(({ ph }) => ph === 'C').map(({ args }) => args)).toEqual([
    { served: 0, reserved: 4 },
    { served: 4, reserved: 4 },
    { served: 4, reserved: 4 },
    { served: 0, reserved: 4 },
  ]);
  expect(reservationEvents({ guest: null, sender: null }, own)).toEqual([]);
});
