import { describe, expect, test } from 'vitest';
import type { Reservation } from '../../../src/core/cpu/reservation.ts';
import { Random } from '../../../src/core/random.ts';
import type { RealTimeTask } from '../../../src/core/schedulability/real-time-task.ts';
import { responseTime } from '../../../src/core/schedulability/response-time.ts';
import { slottedResponses } from './slotted-tasks.ts';

const whole: Reservation = { budgetNs: 1, periodNs: 1 };

const responsesOf = (tasks: readonly RealTimeTask[], reservation = whole, stopNs = 0) =>
  tasks.map((task, index) => responseTime(task, tasks.slice(0, index), reservation, stopNs));

/** Joseph & Pandya (1986), as every textbook has it: R = C + Σ ⌈R/T_j⌉·C_j. */
function textbook(tasks: readonly RealTimeTask[], index: number): number | undefined {
  const { workNs, periodNs, deadlineNs = periodNs } = tasks[index]!;
  let response = 0;
  for (let next = workNs; next <= deadlineNs; ) {
    if (next === response) return response;
    response = next;
    next = workNs;
    for (const other of tasks.slice(0, index)) next += Math.ceil(response / other.periodNs) * other.workNs;
  }
  return undefined;
}

function randomTasks(random: Random, most: number): RealTimeTask[] {
  return Array.from({ length: 1 + random.below(most) }, () => {
    const periodNs = 4 + random.below(27);
    const workNs = 1 + random.below(Math.ceil(periodNs / 3));
    return { workNs, periodNs, deadlineNs: periodNs - random.below(Math.ceil(periodNs / 3)) };
  });
}

describe('the response time under fixed priorities', () => {
  test('is that of the textbooks’ example: 3 of 7, 3 of 12 and 5 of 20 take 3, 6 and 20 (Burns & Wellings)', () => {
    const tasks = [
      { workNs: 3, periodNs: 7 },
      { workNs: 3, periodNs: 12 },
      { workNs: 5, periodNs: 20 },
    ];
    expect(responsesOf(tasks)).toEqual([3, 6, 20]);
  });

  test('equals the textbook’s on 1,000 random task sets', () => {
    const random = Random.seeded(5);
    let late = 0;
    for (let set = 0; set < 1_000; set++) {
      const tasks = randomTasks(random, 6);
      const expected = tasks.map((_, index) => textbook(tasks, index));
      expect(responsesOf(tasks), JSON.stringify(tasks)).toEqual(expected);
      if (expected.includes(undefined)) late += 1;
    }
    expect(late).toBeGreaterThan(200);
    expect(late).toBeLessThan(950);
  });

  test('is what unit after unit comes to after a release of all at once, inside a reservation and after a stop', () => {
    const random = Random.seeded(6);
    for (let set = 0; set < 200; set++) {
      const tasks = randomTasks(random, 3);
      const periodNs = 2 + random.below(5);
      const reservation = { budgetNs: 1 + random.below(periodNs), periodNs };
      const gap = periodNs - reservation.budgetNs;
      const stop = random.below(4);
      const supplied = (t: number) =>
        t >= stop + 2 * gap && (t - stop - 2 * gap) % periodNs < reservation.budgetNs;
      const found = responsesOf(tasks, reservation, stop);
      const late = found.indexOf(undefined);
      const until = late < 0 ? tasks.length : late;
      const slotted = slottedResponses({ policy: 'fixed-priority', tasks, supplied, horizon: 200 });
      expect(found.slice(0, until), JSON.stringify({ tasks, reservation, stop })).toEqual(
        slotted.slice(0, until),
      );
      if (until < tasks.length) expect(slotted[until]).toBe(Number.POSITIVE_INFINITY);
    }
  });
});
