import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { idleServer, replenish, sleep, wake } from '../../../src/core/cpu/cbs.ts';
import type { Reservation } from '../../../src/core/cpu/reservation.ts';
import {
  blackout,
  leastSupply,
  linearLeastSupply,
  mostSupply,
  stopBound,
  timeToSupply,
} from '../../../src/core/cpu/supply.ts';

const reserve = (budgetNs: number, periodNs: number): Reservation => ({ budgetNs, periodNs });

const smallReservations = fc
  .integer({ min: 1, max: 12 })
  .chain((period) => fc.integer({ min: 1, max: period }).map((budget) => reserve(budget, period)));
const largeReservations = fc
  .integer({ min: 1, max: 1e10 })
  .chain((period) => fc.integer({ min: 1, max: period }).map((budget) => reserve(budget, period)));

/**
 * The adversary: he chooses where in a period the window begins, and in every period which Q of the P units are
 * served: in the period's part outside the window, as far as they fit there.
 */
function worstSupply({ budgetNs, periodNs }: Reservation, windowNs: number): number {
  let worst = Number.POSITIVE_INFINITY;
  for (let begin = 0; begin < periodNs; begin++) {
    let supply = 0;
    for (let period = 0; period < begin + windowNs; period += periodNs) {
      const inside = Math.min(period + periodNs, begin + windowNs) - Math.max(period, begin);
      supply += Math.max(0, budgetNs - (periodNs - inside));
    }
    worst = Math.min(worst, supply);
  }
  return worst;
}

describe('the least supply (Shin & Lee)', () => {
  test('is as published', () => {
    expect([16, 18, 28].map((t) => leastSupply(reserve(2, 10), t))).toEqual([0, 2, 4]);
    expect([30, 35].map((t) => leastSupply(reserve(5, 20), t))).toEqual([0, 5]);
    expect(leastSupply(reserve(10, 10), 7)).toBe(7);
    expect(leastSupply(reserve(2, 10), 0)).toBe(0);
  });

  test('is what the worst adversary leaves', () => {
    fc.assert(
      fc.property(smallReservations, fc.nat(60), (reservation, window) => {
        expect(leastSupply(reservation, window)).toBe(worstSupply(reservation, window));
      }),
      { numRuns: 1_000 },
    );
  });

  test('is nothing up to the blackout, and something right after it', () => {
    expect(blackout(reserve(2, 10))).toBe(16);
    expect(blackout(reserve(5, 5))).toBe(0);
    fc.assert(
      fc.property(largeReservations, (reservation) => {
        expect(leastSupply(reservation, blackout(reservation))).toBe(0);
        expect(leastSupply(reservation, blackout(reservation) + 1)).toBe(1);
      }),
    );
  });
});

describe('the time until so much is supplied', () => {
  test('is as published', () => {
    expect([0, 1, 2, 3].map((w) => timeToSupply(reserve(2, 10), w))).toEqual([0, 17, 18, 27]);
  });

  test('is the least that suffices, also in nanoseconds', () => {
    fc.assert(
      fc.property(
        fc.oneof(smallReservations, largeReservations),
        fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 1e10 })),
        (reservation, work) => {
          const time = timeToSupply(reservation, work);
          fc.pre(Number.isSafeInteger(time));
          expect(leastSupply(reservation, time)).toBe(work);
          expect(leastSupply(reservation, time - 1)).toBe(work - 1);
        },
      ),
      { numRuns: 1_000 },
    );
  });
});

describe('the straight bounds', () => {
  test('hold sbf between them', () => {
    fc.assert(
      fc.property(smallReservations, fc.nat(200), (reservation, window) => {
        const least = leastSupply(reservation, window);
        expect(linearLeastSupply(reservation, window)).toBeLessThanOrEqual(least);
        expect(mostSupply(reservation, window)).toBeGreaterThanOrEqual(least);
      }),
      { numRuns: 1_000 },
    );
  });

  test('touch it: the lower one at the end of every wait', () => {
    const reservation = reserve(2, 10);
    for (const window of [16, 26, 36, 46]) {
      expect(linearLeastSupply(reservation, window)).toBe(leastSupply(reservation, window));
    }
    expect(linearLeastSupply(reservation, 5)).toBe(0);
  });

  /**
   * One unit of time after the other a server under the hard rule sleeps or wakes and is served or not, as an
   * adversary likes who only must not miss a deadline.
   */
  function adversarialHistory(
    reservation: Reservation,
    choices: readonly (readonly [boolean, boolean])[],
  ): number[] {
    const server = idleServer(reservation);
    return choices.map(([toggle, serve], now) => {
      while (server.phase !== 'idle' && server.deadlineNs <= now) replenish('hard', server, now);
      const mustBeServed = () => server.phase === 'ready' && server.remainingNs >= server.deadlineNs - now;
      if (server.phase === 'idle' ? toggle : toggle && !mustBeServed()) {
        if (server.phase === 'idle') wake('hard', server, now);
        else sleep(server);
      }
      const isServed = server.phase === 'ready' && server.remainingNs > 0 && (serve || mustBeServed());
      if (isServed) server.remainingNs -= 1;
      return isServed ? 1 : 0;
    });
  }

  test('no server under the hard rule gets more than the upper one, however it sleeps and wakes', () => {
    const choices = fc.array(fc.tuple(fc.boolean(), fc.boolean()), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(smallReservations, choices, (reservation, chosen) => {
        const served = adversarialHistory(reservation, chosen);
        for (let begin = 0; begin < served.length; begin++) {
          let supply = 0;
          for (let end = begin; end < served.length; end++) {
            supply += served[end]!;
            expect(supply).toBeLessThanOrEqual(mostSupply(reservation, end + 1 - begin) + 1e-9);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('one that sleeps can get as much as the upper one, which is more than it could awake', () => {
    // (2,10): served in [8,10) and [10,11), asleep until 15, when 1·10 ≥ (20 − 15)·2 sets its budget anew: [15,17).
    const toggles = [0, 11, 15];
    const serves = [8, 9, 10, 15, 16];
    const served = adversarialHistory(
      reserve(2, 10),
      Array.from({ length: 20 }, (_, now) => [toggles.includes(now), serves.includes(now)] as const),
    );
    const supply = served.slice(8, 17).reduce((sum, unit) => sum + unit, 0);
    expect(supply).toBe(5);
    expect(mostSupply(reserve(2, 10), 9)).toBe(5);
  });
});

describe('the longest stop', () => {
  const demandOf = { pages: 4, cpuPerPageNs: 1, pageLinkNs: 3 };

  test('under the sender’s reservation, with the processor free, and with free pages', () => {
    expect(stopBound({ ...demandOf, reservation: reserve(2, 10) })).toBe(33);
    // The first page cannot be sent before it is prepared: one more than the paper's n·T_d = 12.
    expect(stopBound({ ...demandOf, reservation: null })).toBe(13);
    expect(stopBound({ ...demandOf, cpuPerPageNs: 0, reservation: null })).toBe(12);
    expect(stopBound({ ...demandOf, cpuPerPageNs: 0, reservation: reserve(2, 10) })).toBe(12);
    expect(stopBound({ ...demandOf, pages: 0, reservation: reserve(2, 10) })).toBe(0);
  });

  test('is what preparing and sending page by page comes to under the worst supply', () => {
    const demands = fc.record({
      pages: fc.nat(40),
      cpuPerPageNs: fc.nat(6),
      pageLinkNs: fc.nat(12),
      reservation: fc.option(smallReservations),
    });
    fc.assert(
      fc.property(demands, (stop) => {
        const { pages, cpuPerPageNs, pageLinkNs, reservation } = stop;
        let sentAt = 0;
        let now = 0;
        for (let page = 1; page <= pages; page++) {
          const supplied = () => (reservation ? leastSupply(reservation, now) : now);
          while (supplied() < page * cpuPerPageNs) now += 1;
          sentAt = Math.max(sentAt, now) + pageLinkNs;
        }
        expect(stopBound(stop)).toBe(sentAt);
      }),
      { numRuns: 500 },
    );
  });

  test('of two million pages is found in less than a second', () => {
    const begin = performance.now();
    const stop = { pages: 2_000_000, cpuPerPageNs: 2_000, pageLinkNs: 33_000 };
    expect(stopBound({ ...stop, reservation: reserve(2e6, 10e6) })).toBe(16e6 + 2_000 + 2_000_000 * 33_000);
    expect(performance.now() - begin).toBeLessThan(1_000);
  });
});
