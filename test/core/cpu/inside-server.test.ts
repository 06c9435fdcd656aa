import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { schedule } from '../../../src/core/cpu/schedule.ts';
import { insideSchedulers, type PeriodicTask } from '../../../src/core/cpu/workload.ts';
import { firstMiss } from '../../../src/core/schedulability/longest-stop.ts';
import { slotBySlot } from './slot-by-slot.ts';

const HORIZON = 90;

const timed = fc.integer({ min: 3, max: 25 }).chain((period) =>
  fc.record({
    period: fc.constant(period),
    deadline: fc.integer({ min: 1, max: period }),
    wcet: fc.integer({ min: 1, max: 3 }),
    offset: fc.integer({ min: 0, max: 12 }),
  }),
);
const tasksInside = fc
  .array(timed, { minLength: 1, maxLength: 4 })
  .map((tasks): PeriodicTask[] => tasks.map((task, index) => ({ name: `τ${index}`, ...task })));

/** One unit of time after the other: whoever goes first of those with work, wherever the server runs. */
function unitByUnit(tasks: readonly PeriodicTask[], scheduler: string, runs: ReadonlySet<number>) {
  const queues = tasks.map((): { released: number; left: number }[] => []);
  const finishes = tasks.map((): number[] => []);
  const who: [at: number, name: string][] = [];
  for (let t = 0; t < HORIZON; t++) {
    for (const [index, { period, offset = 0, wcet }] of tasks.entries()) {
      if (t >= offset && (t - offset) % period === 0) queues[index]!.push({ released: t, left: wcet });
    }
    if (!runs.has(t)) continue;
    const key = (index: number) => {
      const { period, deadline = period } = tasks[index]!;
      if (scheduler === 'rm') return period;
      return scheduler === 'dm' ? deadline : queues[index]![0]!.released + deadline;
    };
    const [first] = [...tasks.keys()]
      .filter((index) => queues[index]!.length > 0)
      .sort((one, other) => key(one) - key(other) || one - other);
    const job = queues[first!]![0]!;
    who.push([t, tasks[first!]!.name]);
    job.left -= 1;
    if (job.left > 0) continue;
    queues[first!]!.shift();
    finishes[first!]!.push(t + 1);
  }
  return { who, finishes };
}

describe('tasks inside a server', () => {
  test('run as their own scheduler says while the server does, unit by unit', () => {
    fc.assert(
      fc.property(tasksInside, fc.constantFrom(...insideSchedulers), (tasks, scheduler) => {
        const guest = { name: 'guest', budget: 4, period: 10, jobs: [], inside: { scheduler, tasks } };
        const other = { name: 'other', budget: 5, period: 9, jobs: 'backlogged' as const };
        const result = schedule({
          ...{ scheduler: 'cbs-hard', processors: 1, horizon: HORIZON, servers: [guest, other], tasks: [] },
        });
        const asked = tasks
          .flatMap(({ period, offset = 0, wcet }) =>
            Array.from({ length: HORIZON }, (_, job) => [offset + job * period, wcet] as const),
          )
          .sort(([one], [two]) => one - two);
        const outside = slotBySlot(
          'hard',
          [
            { kind: 'server', budget: 4, period: 10, jobs: asked },
            { kind: 'server', budget: 5, period: 9, jobs: [[0, Number.POSITIVE_INFINITY]] },
          ],
          1,
          HORIZON,
        );
        const units = (slices: readonly { readonly start: number; readonly end: number }[]) =>
          slices.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, unit) => start + unit));
        const runs = units(outside.slices.filter(({ who }) => who === 0));
        expect(units(result.slices.filter(({ name }) => name === 'guest'))).toEqual(runs);
        const expected = unitByUnit(tasks, scheduler, new Set(runs));
        const inside = result.inside.guest!.flatMap((slice) => units([slice]).map((at) => [at, slice.name]));
        expect(inside).toEqual(expected.who);
        for (const [index, { name }] of tasks.entries()) {
          expect(result.finishes[name]).toEqual(expected.finishes[index]);
        }
        expect([result.finishes.guest, result.responses.guest]).toEqual([
          [],
          { jobs: 0, worst: null, mean: null, missed: null },
        ]);
      }),
      { numRuns: 300 },
    );
  });

  test('that fit by the analysis are never late, whoever else wants the processor', () => {
    let fitting = 0;
    fc.assert(
      fc.property(tasksInside, fc.constantFrom(...insideSchedulers), (tasks, scheduler) => {
        const key = ({ period, deadline = period }: PeriodicTask) => (scheduler === 'rm' ? period : deadline);
        const ranked = tasks.toSorted((one, other) => key(one) - key(other));
        const analysed = ranked.map(({ wcet, period, deadline }) => ({
          ...{ workNs: wcet, periodNs: period, deadlineNs: deadline! },
        }));
        const policy = scheduler === 'edf' ? 'edf' : 'fixed-priority';
        fc.pre(firstMiss({ policy, tasks: analysed }, { budgetNs: 5, periodNs: 8 }, 0) === undefined);
        fitting += 1;
        const guest = { name: 'guest', budget: 5, period: 8, jobs: [], inside: { scheduler, tasks } };
        const other = { name: 'other', budget: 1, period: 3, jobs: 'backlogged' as const };
        const { responses } = schedule({
          ...{ scheduler: 'cbs-hard', processors: 1, horizon: 400, servers: [other, guest], tasks: [] },
        });
        expect(tasks.map(({ name }) => responses[name]!.missed)).toEqual(tasks.map(() => 0));
      }),
      { numRuns: 150 },
    );
    expect(fitting).toBeGreaterThan(50);
  });
});
