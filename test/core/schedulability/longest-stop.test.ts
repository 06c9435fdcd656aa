import { describe, expect, test } from 'vitest';
import type { Reservation } from '../../../src/core/cpu/reservation.ts';
import { Random } from '../../../src/core/random.ts';
import { longestStop } from '../../../src/core/schedulability/longest-stop.ts';
import {
  type RealTimeTask,
  type TaskPolicy,
  taskPolicies,
} from '../../../src/core/schedulability/real-time-task.ts';
import { slottedResponses } from './slotted-tasks.ts';

const reserve = (budgetNs: number, periodNs: number): Reservation => ({ budgetNs, periodNs });

/** A budget at the beginning of its period, the next at the end of its own: as late as the reservation allows from 0 on. */
function latestSupply({ budgetNs, periodNs }: Reservation): (t: number) => boolean {
  const gap = periodNs - budgetNs;
  return (t) => t >= 2 * gap && (t - 2 * gap) % periodNs < budgetNs;
}

/** Nothing from `at` on for so long, and then what would have come. */
function stopped(supplied: (t: number) => boolean, at: number, length: number): (t: number) => boolean {
  return (t) => (t < at ? supplied(t) : t >= at + length && supplied(t - length));
}

/** Task sets that fit about half of the time, with periods of a common hyperperiod of 120. */
function randomSet(random: Random): { tasks: RealTimeTask[]; reservation: Reservation } {
  const periods = [8, 10, 12, 15, 20, 24, 30, 40];
  const tasks = Array.from({ length: 1 + random.below(3) }, (): RealTimeTask => {
    const periodNs = periods[random.below(periods.length)]!;
    const workNs = 1 + random.below(Math.max(1, Math.floor(periodNs / 6)));
    return { workNs, periodNs, deadlineNs: Math.max(workNs, periodNs - random.below(periodNs / 2)) };
  });
  const period = 2 + random.below(6);
  const reservation = random.below(3) === 0 ? reserve(1, 1) : reserve(1 + random.below(period), period);
  return { tasks, reservation };
}

describe('the longest stop', () => {
  test('of a task alone on a processor is its slack', () => {
    const tasks = [{ workNs: 3, periodNs: 20, deadlineNs: 10 }];
    for (const policy of taskPolicies) {
      expect(longestStop({ policy, tasks }, reserve(1, 1))).toEqual({ stopNs: 7, task: 0 });
    }
  });

  test('inside (2,10) ms of a task (1,20) ms is 3 ms: the first unit may come after 17', () => {
    const set = { policy: 'edf' as const, tasks: [{ workNs: 1e6, periodNs: 20e6 }] };
    expect(longestStop(set, reserve(2e6, 10e6)).stopNs).toBe(3e6);
  });

  test('is null where a deadline can be missed without one, and names the task', () => {
    const tasks = [
      { workNs: 1, periodNs: 5 },
      { workNs: 4, periodNs: 8, deadlineNs: 4 },
    ];
    expect(longestStop({ policy: 'fixed-priority', tasks }, reserve(1, 1))).toEqual({
      stopNs: null,
      task: 1,
    });
    expect(longestStop({ policy: 'edf', tasks: [] }, reserve(1, 1))).toEqual({ stopNs: null, task: null });
  });

  test('is 0 where EDF has no time to spare', () => {
    const tasks = [
      { workNs: 1, periodNs: 2, deadlineNs: 1 },
      { workNs: 1, periodNs: 2 },
    ];
    expect(longestStop({ policy: 'edf', tasks }, reserve(1, 1)).stopNs).toBe(0);
  });

  test.each(taskPolicies)('equals brute force on 200 random task sets: %s', (policy: TaskPolicy) => {
    const random = Random.seeded(policy === 'edf' ? 11 : 12);
    let compared = 0;
    let without = 0;
    while (compared < 200) {
      const { tasks, reservation } = randomSet(random);
      const late = (supplied: (t: number) => boolean, offsets?: readonly number[]) =>
        slottedResponses({
          policy,
          tasks: tasks.map((task, index) => ({ ...task, offset: offsets?.[index] ?? 0 })),
          supplied,
          horizon: 360,
        }).includes(Number.POSITIVE_INFINITY);
      const supply = latestSupply(reservation);
      let brute = -1;
      while (brute < 40 && !late(stopped(supply, 0, brute + 1))) brute += 1;
      const { stopNs } = longestStop({ policy, tasks }, reservation);
      expect(stopNs ?? -1, JSON.stringify({ tasks, reservation })).toBe(brute);
      if (stopNs === null) {
        without += 1;
        if (without > 400) throw new Error('too few task sets fit');
        continue;
      }
      compared += 1;
      // Nor is anything late wherever else the stop is, whenever tasks begin, and wherever budgets fall.
      for (let trial = 0; trial < 4; trial++) {
        const shift = random.below(reservation.periodNs);
        const shifted = stopped(
          (t) => supply(t + 2 * reservation.periodNs + shift),
          random.below(120),
          stopNs,
        );
        expect(
          late(
            shifted,
            tasks.map(({ periodNs }) => random.below(periodNs)),
          ),
        ).toBe(false);
      }
    }
  });

  test('is found in nanoseconds', () => {
    const tasks = [
      { workNs: 1e6, periodNs: 33_333_333 },
      { workNs: 1e6, periodNs: 77_777_777 },
      { workNs: 10e6, periodNs: 99_999_999 },
    ];
    const { stopNs } = longestStop({ policy: 'edf', tasks }, reserve(2e6, 10e6));
    expect(stopNs).toBe(33_333_333 - 17e6);
  });
});
