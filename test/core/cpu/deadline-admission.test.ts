import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DeadlineLimit,
  deadlineAdmits,
  deadlineMisfit,
  deadlineReservable,
  defaultDeadlineLimit,
} from '../../../src/core/cpu/deadline-admission.ts';

const ms = 1_000_000;
const load = (budget: number, period: number, name = 'S') => ({ name, budget, period });
const withFairServer: DeadlineLimit = {
  ...defaultDeadlineLimit,
  kept: { budgetNs: 50 * ms, periodNs: 1000 * ms },
};

const anyLoad = fc
  .integer({ min: 1024, max: 2 ** 32 })
  .chain((period) => fc.tuple(fc.integer({ min: 1, max: period }), fc.constant(period)))
  .map(([budget, period]) => load(budget, period));
const anyLoads = fc.array(anyLoad, { minLength: 1, maxLength: 8 });
const processorCounts = fc.integer({ min: 1, max: 8 });

describe('what Linux admits for SCHED_DEADLINE', () => {
  test('is a sum over all processors: 95 % of each, 90 % where its fair server has the rest', () => {
    const nine = load(90 * ms, 100 * ms);
    expect(deadlineAdmits([nine, nine], 2)).toBe(true);
    expect(deadlineAdmits([nine, nine], 2, withFairServer)).toBe(true);
    // 1,887,436 of 1,887,438 parts.
    expect(deadlineAdmits([nine, nine, load(200, 100 * ms)], 2, withFairServer)).toBe(true);
    expect(deadlineAdmits([nine, nine, load(300, 100 * ms)], 2, withFairServer)).toBe(false);
    expect(deadlineAdmits([nine, nine, load(9 * ms, 100 * ms)], 2)).toBe(true);
    // No partition: three of 0.6 are 1.8.
    const six = load(6, 10);
    expect(deadlineAdmits([six, six, six], 2)).toBe(true);
    expect(deadlineAdmits([load(10, 10)], 1)).toBe(false);
    expect(deadlineAdmits([load(10, 10)], 2)).toBe(true);
  });

  test('is anything where the limit is −1', () => {
    const unlimited = { most: null, kept: null };
    expect(deadlineAdmits([load(1, 1), load(1, 1)], 1, unlimited)).toBe(true);
    expect(deadlineReservable(2, unlimited)).toBe(2);
  });

  test('is counted in parts of 2⁻²⁰ of a processor, each rounded down', () => {
    const part = load(1024 * ms, 1024 * ms * 2 ** 10);
    const [room] = [Math.floor((95 * 2 ** 20) / 100)];
    expect(deadlineReservable(1, defaultDeadlineLimit)).toBe(room / 2 ** 20);
    const many = (count: number) => Array.from({ length: count }, () => part);
    expect(deadlineAdmits(many(Math.floor(room / 2 ** 10)), 1)).toBe(true);
    expect(deadlineAdmits(many(Math.floor(room / 2 ** 10) + 1), 1)).toBe(false);
    // Less than a part counts nothing, however often.
    expect(deadlineAdmits([load(95, 100), ...Array.from({ length: 50 }, () => load(1, 2 ** 21))], 1)).toBe(
      true,
    );
  });

  test('differs from the sum of the shares by its rounding alone', () => {
    fc.assert(
      fc.property(anyLoads, processorCounts, (loads, processors) => {
        const sum = loads.reduce((all, { budget, period }) => all + budget / period, 0);
        const rounding = loads.length / 2 ** 20 + 1e-9;
        const most = processors * (Math.floor(0.95 * 2 ** 20) / 2 ** 20);
        fc.pre(sum <= most - 1e-9 || sum > most + rounding);
        expect(deadlineAdmits(loads, processors)).toBe(sum <= most);
      }),
    );
  });
});

describe('who is refused', () => {
  test('is told of beside what is reserved already, and out of what', () => {
    const refused = deadlineMisfit([load(90, 100, 'guest'), load(90, 100, 'sender')], 1);
    expect(refused).toEqual({
      misfit: 'sender',
      why: 'sender (90 of every 100) is refused: 90.0 %, beside 90.0 % reserved already, is more than the 95.0 % of a processor that the kernel lets be reserved; at most 5 of every 100 would do',
    });
    expect(deadlineMisfit([load(45, 100, 'guest'), load(45, 100, 'sender')], 1)).toBeUndefined();
  });

  test('is the first that does not fit, and would fit with the budget that is named, but with no unit more', () => {
    fc.assert(
      fc.property(anyLoads, processorCounts, (plain, processors) => {
        const loads = plain.map((one, index) => ({ ...one, name: `S${index}` }));
        const refused = deadlineMisfit(loads, processors);
        expect(refused === undefined).toBe(deadlineAdmits(loads, processors));
        fc.pre(refused !== undefined);
        const index = loads.findIndex(({ name }) => name === refused!.misfit);
        const before = loads.slice(0, index);
        expect(deadlineAdmits(before, processors)).toBe(true);
        const most = Number(/at most (\d+) of/.exec(refused!.why)![1]);
        const withBudget = (budget: number) => [...before, { ...loads[index]!, budget }];
        expect(deadlineAdmits(withBudget(most), processors)).toBe(true);
        expect(deadlineAdmits(withBudget(most + 1), processors)).toBe(false);
      }),
    );
  });
});
