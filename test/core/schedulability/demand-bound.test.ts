import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Reservation } from '../../../src/core/cpu/reservation.ts';
import { leastSupply } from '../../../src/core/cpu/supply.ts';
import { demand, schedulableInside } from '../../../src/core/schedulability/demand-bound.ts';
import type { RealTimeTask } from '../../../src/core/schedulability/real-time-task.ts';

const reserve = (budgetNs: number, periodNs: number): Reservation => ({ budgetNs, periodNs });
const tasksOf = (...pairs: [number, number][]): RealTimeTask[] =>
  pairs.map(([workNs, periodNs]) => ({ workNs, periodNs }));

describe('tasks inside a reservation', () => {
  test('are schedulable as published', () => {
    const inside = (...pairs: [number, number][]) => schedulableInside(tasksOf(...pairs), reserve(2, 10));
    expect(inside([1, 20])).toBe(true);
    expect(inside([2, 20])).toBe(true);
    expect(inside([3, 20])).toBe(false);
    expect(inside([1, 16])).toBe(false);
    expect(inside([1, 25], [2, 50])).toBe(true);
    expect(inside()).toBe(true);
  });

  test('that ask for all of the share are not, unless it is all of the processor', () => {
    expect(schedulableInside(tasksOf([1, 5]), reserve(2, 10))).toBe(false);
    expect(schedulableInside(tasksOf([200, 1_000]), reserve(2, 10))).toBe(false);
    expect(schedulableInside(tasksOf([1, 3], [1, 3], [1, 3]), reserve(10, 10))).toBe(true);
    expect(schedulableInside(tasksOf([1, 3], [1, 3], [1, 3], [1, 1_000]), reserve(10, 10))).toBe(false);
  });

  test('demand what is due in a window', () => {
    const tasks = tasksOf([1, 4], [2, 6]);
    expect([0, 3, 4, 6, 12].map((window) => demand(tasks, window))).toEqual([0, 0, 1, 3, 7]);
  });

  const tasksAndReservation = fc.tuple(
    fc.array(
      fc
        .constantFrom(4, 5, 6, 8, 10, 12, 20, 24, 30)
        .chain((period) => fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constant(period))),
      { minLength: 1, maxLength: 3 },
    ),
    fc
      .constantFrom(2, 3, 4, 5, 6)
      .chain((period) => fc.tuple(fc.integer({ min: 1, max: period }), fc.constant(period))),
  );

  test('are schedulable exactly if nothing is due too early within two hyperperiods', () => {
    const outcomes = { true: 0, false: 0 };
    fc.assert(
      fc.property(tasksAndReservation, ([pairs, [budget, period]]) => {
        const tasks = tasksOf(...(pairs as [number, number][]));
        const reservation = reserve(budget, period);
        // All periods divide 120.
        const windows = Array.from({ length: 240 + 2 * period }, (_, window) => window);
        const fits = windows.every((window) => demand(tasks, window) <= leastSupply(reservation, window));
        expect(schedulableInside(tasks, reservation)).toBe(fits);
        outcomes[`${fits}`] += 1;
      }),
      { numRuns: 3_000 },
    );
    expect(Math.min(outcomes.true, outcomes.false)).toBeGreaterThan(100);
  });

  test('are told apart quickly also in nanoseconds, and near the full share', () => {
    const reservation = reserve(2e6, 10e6);
    expect(schedulableInside(tasksOf([1e6, 25e6], [2e6, 50e6]), reservation)).toBe(true);
    expect(schedulableInside(tasksOf([199_999_999, 1_000_000_000]), reservation)).toBe(false);
    expect(
      schedulableInside(tasksOf([1e6, 33_333_333], [1e6, 77_777_777], [1e6, 99_999_999]), reservation),
    ).toBe(true);
  });
});
