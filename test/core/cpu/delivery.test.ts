import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstFitDecreasing } from '../../../src/core/cpu/cpu-admission.ts';
import { Delivery } from '../../../src/core/cpu/delivery.ts';
import { type EntityId, Processor } from '../../../src/core/cpu/processor.ts';
import type { Reservation } from '../../../src/core/cpu/reservation.ts';
import { blackout } from '../../../src/core/cpu/supply.ts';

const exact = { share: 0, floorNs: 0 };
const ofTwoInTen = { budgetNs: 2, periodNs: 10 };
const MS = 1_000_000;
const realistic = { budgetNs: 2 * MS, periodNs: 10 * MS };

const smallReservations = fc
  .integer({ min: 2, max: 30 })
  .chain((periodNs) => fc.integer({ min: 1, max: periodNs }).map((budgetNs) => ({ budgetNs, periodNs })));

describe('a supply that keeps its promise', () => {
  test('has no miss and no error, wherever in its period each budget is served', () => {
    const supplies = smallReservations.chain((reservation) =>
      fc.record({
        reservation: fc.constant(reservation),
        start: fc.nat(1_000),
        offsets: fc.array(fc.nat(reservation.periodNs - reservation.budgetNs), {
          minLength: 10,
          maxLength: 40,
        }),
      }),
    );
    fc.assert(
      fc.property(supplies, ({ reservation, start, offsets }) => {
        const { budgetNs, periodNs } = reservation;
        const delivery = new Delivery(reservation, exact);
        delivery.wakes(start);
        for (const [period, offset] of offsets.entries()) {
          const at = start + period * periodNs + offset;
          delivery.ran(at, at + budgetNs);
        }
        expect(delivery.record('server', start + offsets.length * periodNs)).toMatchObject({
          servedNs: offsets.length * budgetNs,
          periods: offsets.length,
          missedPeriods: 0,
          shareErrorPerPeriod: { median: 0, p99: 0 },
          shareErrorPerTenPeriods: { median: 0, p99: 0 },
        });
      }),
    );
  });

  test('is the same in one slice as in many, across deadlines and with the CPU time spread evenly', () => {
    const coarse = new Delivery(ofTwoInTen, exact);
    coarse.wakes(0);
    coarse.ran(0, 1_000, 200);
    const fine = new Delivery(ofTwoInTen, exact);
    fine.wakes(0);
    for (let at = 0; at < 1_000; at += 5) fine.ran(at, at + 5, 1);
    expect(coarse.record('server', 1_000)).toEqual(fine.record('server', 1_000));
    expect(coarse.record('server', 1_000)).toMatchObject({ periods: 100, missedPeriods: 0 });
  });
});

describe('a miss', () => {
  test('is one, when one budget is left out', () => {
    fc.assert(
      fc.property(
        smallReservations,
        fc.integer({ min: 1, max: 20 }),
        fc.nat(20),
        (reservation, count, which) => {
          const { budgetNs, periodNs } = reservation;
          const delivery = new Delivery(reservation, exact);
          delivery.wakes(0);
          for (let period = 0; period < count; period++) {
            if (period !== which) delivery.ran(period * periodNs, period * periodNs + budgetNs);
          }
          expect(delivery.record('server', count * periodNs)).toMatchObject({
            periods: count,
            missedPeriods: which < count ? 1 : 0,
          });
        },
      ),
    );
  });

  test('is 5 % of the budget and more than 100 µs unserved, unless told otherwise', () => {
    const missedAfter = (reservation: Reservation, servedNs: number) => {
      const delivery = new Delivery(reservation);
      delivery.wakes(0);
      delivery.ran(0, servedNs);
      return delivery.record('server', reservation.periodNs).missedPeriods;
    };
    expect(missedAfter(realistic, 1.9 * MS)).toBe(0);
    expect(missedAfter(realistic, 1.9 * MS - 1)).toBe(1);
    const larger = { budgetNs: 10 * MS, periodNs: 20 * MS };
    expect(missedAfter(larger, 9.5 * MS)).toBe(0);
    expect(missedAfter(larger, 9.5 * MS - 1)).toBe(1);
    const smaller = { budgetNs: 0.2 * MS, periodNs: 1 * MS };
    expect(missedAfter(smaller, 0.1 * MS)).toBe(0);
    expect(missedAfter(smaller, 0.1 * MS - 1)).toBe(1);
  });

  test('is none, when the work ended before the deadline', () => {
    const delivery = new Delivery(ofTwoInTen, exact);
    delivery.wakes(0);
    delivery.ran(3, 4);
    delivery.sleeps(4);
    expect(delivery.record('server', 100)).toMatchObject({
      servedNs: 1,
      periods: 0,
      missedPeriods: 0,
      shareErrorPerPeriod: null,
      shareErrorPerTenPeriods: null,
      shareErrorPerSecond: null,
    });
  });

  test('after a short sleep is measured by the budget that was kept', () => {
    // Asleep in [3,4) with c = 1 and d = 10: 1·10 < 6·2, so both are kept. A unit by 10 is due, not two.
    const served = (units: number) => {
      const delivery = new Delivery(ofTwoInTen, exact);
      delivery.wakes(0);
      delivery.ran(2, 3);
      delivery.sleeps(3);
      delivery.wakes(4);
      delivery.ran(9, 9 + units);
      return delivery.record('server', 10);
    };
    expect(served(1)).toMatchObject({ periods: 1, missedPeriods: 0 });
    expect(served(0)).toMatchObject({ periods: 1, missedPeriods: 1 });
  });

  test('after a longer sleep is measured by a new budget and deadline', () => {
    // Asleep in [3,5) with c = 1 and d = 10: 1·10 ≥ 5·2, so c = 2 and d = 15.
    const delivery = new Delivery(ofTwoInTen, exact);
    delivery.wakes(0);
    delivery.ran(2, 3);
    delivery.sleeps(3);
    delivery.wakes(5);
    delivery.ran(13, 15);
    expect(delivery.record('server', 15)).toMatchObject({ periods: 1, missedPeriods: 0 });
  });

  test('is none, when what was served too early is missing later', () => {
    const delivery = new Delivery(ofTwoInTen, exact);
    delivery.wakes(0);
    delivery.ran(0, 5);
    delivery.ran(29, 30);
    expect(delivery.record('server', 30)).toMatchObject({ periods: 3, missedPeriods: 0, servedNs: 6 });
  });

  test('of the promise cannot be made good later', () => {
    const delivery = new Delivery(ofTwoInTen, exact);
    delivery.wakes(0);
    delivery.ran(10, 14);
    expect(delivery.record('server', 30)).toMatchObject({ periods: 3, missedPeriods: 1 });
  });
});

describe('the noise ledger', () => {
  test('blames the machine for a missed period in which it stood still, however late that is known', () => {
    const delivery = new Delivery(ofTwoInTen, exact);
    delivery.wakes(0);
    delivery.ran(0, 2);
    delivery.ran(30, 32);
    delivery.noise(40, 45);
    delivery.noise(8, 11);
    expect(delivery.record('server', 40)).toMatchObject({ periods: 4, missedPeriods: 2, missedByMachine: 1 });
    delivery.noise(25, 26);
    expect(delivery.record('server', 40)).toMatchObject({ missedPeriods: 2, missedByMachine: 2 });
  });

  test('does not, if the noise only touches the period', () => {
    const delivery = new Delivery(ofTwoInTen, exact);
    delivery.noise(0, 20);
    delivery.wakes(0);
    delivery.ran(0, 2);
    delivery.ran(10, 12);
    delivery.noise(30, 40);
    expect(delivery.record('server', 30)).toMatchObject({ missedPeriods: 1, missedByMachine: 0 });
  });
});

describe('the longest blackout', () => {
  test('is counted only while there is work, and up to the end', () => {
    const delivery = new Delivery(ofTwoInTen, exact);
    delivery.wakes(100);
    delivery.ran(103, 104);
    delivery.ran(109, 110);
    delivery.sleeps(112);
    expect(delivery.record('server', 500).longestBlackoutNs).toBe(5);
    delivery.wakes(500);
    expect(delivery.record('server', 507).longestBlackoutNs).toBe(7);
    delivery.ran(516, 517);
    expect(delivery.record('server', 517).longestBlackoutNs).toBe(16);
  });
});

describe('the share error', () => {
  test('is taken over consecutive windows from the beginning of every stretch of work, whole ones only', () => {
    const delivery = new Delivery(ofTwoInTen, exact);
    delivery.wakes(5);
    delivery.ran(5, 8); // [5,15): 3, one too many
    delivery.ran(20, 21); // [15,25): 1, one too few
    delivery.ran(26, 28); // [25,35): 2
    delivery.sleeps(40); // [35,45) is not whole
    delivery.wakes(50);
    delivery.ran(58, 62); // [50,60): 2, [60,70): 2
    delivery.sleeps(70);
    const { shareErrorPerPeriod, shareErrorPerTenPeriods } = delivery.record('server', 70);
    expect(shareErrorPerPeriod).toEqual({ median: 0, p99: 0.5 });
    expect(shareErrorPerTenPeriods).toBeNull();
  });

  test('over a second and over ten periods is smaller, when only the moments of service vary', () => {
    const delivery = new Delivery(realistic);
    delivery.wakes(0);
    for (let period = 0; period < 300; period++) {
      const servedNs = (period % 2 === 0 ? 1.9 : 2.1) * MS;
      delivery.ran(period * 10 * MS, period * 10 * MS + servedNs);
    }
    const record = delivery.record('server', 3_000 * MS);
    expect(record.shareErrorPerPeriod!.median).toBeCloseTo(0.05);
    expect(record.shareErrorPerTenPeriods!.p99).toBeCloseTo(0);
    expect(record.shareErrorPerSecond).toBeCloseTo(0);
    expect(record.missedPeriods).toBe(0);
  });

  test('goes on when one job follows another at the same instant', () => {
    const delivery = new Delivery(ofTwoInTen, exact);
    delivery.wakes(0);
    delivery.ran(0, 2);
    delivery.sleeps(2);
    delivery.wakes(2);
    delivery.ran(10, 12);
    expect(delivery.record('server', 20)).toMatchObject({
      periods: 2,
      missedPeriods: 0,
      shareErrorPerPeriod: { median: 0, p99: 0 },
      longestBlackoutNs: 8,
    });
  });
});

describe('against the scheduler in virtual time', () => {
  const contests = fc.record({
    rule: fc.constantFrom('soft', 'hard'),
    servers: fc.array(smallReservations, { minLength: 1, maxLength: 4 }).map((servers) => {
      const fitting: Reservation[] = [];
      for (const server of servers) {
        const loads = [...fitting, server].map(({ budgetNs, periodNs }) => ({
          name: '',
          budget: budgetNs,
          period: periodNs,
        }));
        if (firstFitDecreasing(loads, 1).admitted) fitting.push(server);
      }
      return fitting;
    }),
    jobs: fc.array(
      fc.record({ afterNs: fc.nat(12), server: fc.nat(3), workNs: fc.integer({ min: 1, max: 40 }) }),
      { minLength: 1, maxLength: 40 },
    ),
  });

  test('no promise is broken while the sum of the shares is at most 1', () => {
    let periods = 0;
    fc.assert(
      fc.property(contests, ({ rule, servers, jobs }) => {
        const deliveries = servers.map((server) => new Delivery(server, exact));
        const processor: Processor = new Processor(rule, {
          slice: (id: EntityId, startNs, endNs) => deliveries[id]!.ran(startNs, endNs),
          finished: (id: EntityId, atNs) => {
            if (processor.pending(id) > 0) return;
            processor.flush();
            deliveries[id]!.sleeps(atNs);
          },
        });
        for (const server of servers) processor.addServer(server);
        for (const { afterNs, server, workNs } of jobs) {
          const id = server % servers.length;
          processor.runUntil(processor.now + afterNs);
          if (processor.pending(id) === 0) deliveries[id]!.wakes(processor.now);
          processor.arrive(id, workNs);
        }
        processor.runUntil(processor.now + 100);
        processor.flush();
        for (const [id, delivery] of deliveries.entries()) {
          const record = delivery.record('server', processor.now);
          expect(record.servedNs).toBe(processor.served(id));
          expect(record.missedPeriods).toBe(0);
          if (rule === 'hard') expect(record.longestBlackoutNs).toBeLessThanOrEqual(blackout(servers[id]!));
          periods += record.periods;
        }
      }),
      { numRuns: 1_000 },
    );
    expect(periods).toBeGreaterThan(1_000);
  });
});
