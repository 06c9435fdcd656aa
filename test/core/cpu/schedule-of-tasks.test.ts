import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Schedule, schedule } from '../../../src/core/cpu/schedule.ts';
import type { PeriodicTask, Workload } from '../../../src/core/cpu/workload.ts';
import { responseTime } from '../../../src/core/schedulability/response-time.ts';
import { type Contender, slotBySlot } from './slot-by-slot.ts';

const HORIZON = 80;
const alone = { processors: 1, horizon: HORIZON, servers: [] };

const timed = fc.integer({ min: 2, max: 15 }).chain((period) =>
  fc.integer({ min: 1, max: period }).chain((deadline) =>
    fc.record({
      period: fc.constant(period),
      deadline: fc.constant(deadline),
      wcet: fc.integer({ min: 1, max: Math.max(1, Math.floor(deadline / 2)) }),
      offset: fc.integer({ min: 0, max: 20 }),
    }),
  ),
);
const taskSets = fc
  .array(timed, { minLength: 1, maxLength: 4 })
  .map((tasks): PeriodicTask[] => tasks.map((task, index) => ({ name: `τ${index}`, ...task })))
  .filter((tasks) => tasks.reduce((sum, { wcet, period }) => sum + wcet / period, 0) <= 0.999);

function sliced({ slices }: Schedule, names: readonly { readonly name: string }[]) {
  return slices.map(({ name, start, end, processor }) => ({
    ...{ who: names.findIndex((one) => one.name === name), start, end, processor },
  }));
}

describe('tasks with deadlines below their periods, and offsets', () => {
  test('run as the rules say, slot by slot, by deadlines, by rate and by deadline monotonic priorities', () => {
    fc.assert(
      fc.property(
        taskSets,
        fc.constantFrom('cbs-hard' as const, 'rm' as const, 'dm' as const),
        (tasks, scheduler) => {
          const result = schedule({ ...alone, scheduler, tasks });
          const contenders = tasks.map(({ wcet, period, deadline, offset }): Contender => {
            const rank = scheduler === 'rm' ? period : deadline!;
            const jobs = Array.from({ length: HORIZON }, (_, job) => [offset! + job * period, wcet] as const);
            const isRanked = scheduler !== 'cbs-hard';
            return {
              kind: 'task',
              budget: wcet,
              period,
              deadline: deadline!,
              jobs,
              ...(isRanked && { rank }),
            };
          });
          const expected = slotBySlot('hard', contenders, 1, HORIZON);
          expect(sliced(result, tasks)).toEqual(expected.slices);
          for (const [who, { name, deadline, offset, period }] of tasks.entries()) {
            const ends = expected.finishes[who]!;
            expect(result.finishes[name]).toEqual(ends);
            const took = ends.map((end, job) => end - offset! - job * period);
            let missed = took.filter((one) => one > deadline!).length;
            for (let job = took.length; offset! + job * period + deadline! <= HORIZON; job++) missed += 1;
            expect(result.responses[name]).toEqual({
              jobs: took.length,
              worst: took.length === 0 ? null : Math.max(...took),
              mean: took.length === 0 ? null : took.reduce((sum, one) => sum + one, 0) / took.length,
              missed,
            });
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  test('released together take at worst what the textbook’s analysis says', () => {
    fc.assert(
      fc.property(taskSets, fc.constantFrom('rm' as const, 'dm' as const), (released, scheduler) => {
        const tasks = released.map((task) => ({ ...task, offset: 0 }));
        const { responses } = schedule({ ...alone, scheduler, tasks });
        const rankOf = ({ period, deadline = period }: PeriodicTask) =>
          scheduler === 'rm' ? period : deadline;
        const analysed = tasks.map(({ wcet, period, deadline }) => ({
          ...{ workNs: wcet, periodNs: period, deadlineNs: deadline! },
        }));
        for (const [who, task] of tasks.entries()) {
          const first = analysed.filter((_, other) => {
            const difference = rankOf(tasks[other]!) - rankOf(task);
            return difference < 0 || (difference === 0 && other < who);
          });
          const takes = responseTime(analysed[who]!, first, { budgetNs: 1, periodNs: 1 });
          if (takes === undefined) expect(responses[task.name]!.missed).toBeGreaterThan(0);
          else expect(responses[task.name]).toMatchObject({ worst: takes, missed: 0 });
        }
      }),
      { numRuns: 400 },
    );
  });

  test('(1, 4), (2, 6) and (3, 10) by rate: the last is done just in time', () => {
    const tasks = [
      { name: 'A', wcet: 1, period: 4 },
      { name: 'B', wcet: 2, period: 6 },
      { name: 'C', wcet: 3, period: 10 },
    ];
    const { responses } = schedule({ ...alone, scheduler: 'rm', horizon: 60, tasks });
    expect(responses).toMatchObject({
      A: { jobs: 15, worst: 1, mean: 1, missed: 0 },
      B: { worst: 3, missed: 0 },
      C: { worst: 10, missed: 0 },
    });
  });

  test('that are due early are late by rate, and in time by deadline', () => {
    const tasks = [
      { name: 'A', wcet: 2, period: 5 },
      { name: 'B', wcet: 2, period: 10, deadline: 3 },
    ];
    const missed = (scheduler: Workload['scheduler']) =>
      schedule({ ...alone, scheduler, horizon: 50, tasks }).responses.B!.missed;
    expect([missed('rm'), missed('dm'), missed('cbs-hard')]).toEqual([5, 0, 0]);
  });
});

describe('servers with deadlines below their periods, under the kernel’s rules', () => {
  const jobs = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 6 })), { maxLength: 10 })
    .map((pairs) => {
      let release = 0;
      return pairs.map(([pause, work]) => [(release += pause), work] as const);
    });
  const servers = fc.array(
    fc.record({
      budget: fc.integer({ min: 1, max: 4 }),
      slack: fc.integer({ min: 0, max: 6 }),
      pause: fc.integer({ min: 0, max: 8 }),
      jobs: fc.oneof(jobs, fc.constant('backlogged' as const)),
    }),
    { minLength: 1, maxLength: 4 },
  );

  test('run as these say, slot by slot, on one processor and on two', () => {
    let run = 0;
    fc.assert(
      fc.property(servers, fc.integer({ min: 1, max: 2 }), (drawn, processors) => {
        const all = drawn.map(({ budget, slack, pause, jobs }, index) => {
          const deadline = budget + slack;
          return { name: `S${index}`, budget, deadline, period: deadline + pause, jobs };
        });
        fc.pre(all.reduce((sum, { budget, period }) => sum + budget / period, 0) <= 0.95 * processors);
        run += 1;
        const workload = { ...alone, scheduler: 'deadline', processors, servers: all, tasks: [] } as const;
        const result = schedule(workload);
        const contenders = all.map(({ jobs, ...one }): Contender => {
          const row = jobs === 'backlogged' ? ([[0, Number.POSITIVE_INFINITY]] as const) : jobs;
          return { kind: 'server', ...one, jobs: row };
        });
        const expected = slotBySlot('linux', contenders, 1, HORIZON, processors);
        const inOrder = expected.slices.toSorted(
          (one, other) => one.start - other.start || one.processor - other.processor,
        );
        expect(sliced(result, all)).toEqual(inOrder);
        for (const [who, { name }] of all.entries()) {
          expect(result.finishes[name]).toEqual(expected.finishes[who]);
        }
      }),
      { numRuns: 600 },
    );
    expect(run).toBeGreaterThan(200);
  });

  test('are admitted by their periods, and served by their deadlines (sched-deadline-archive#11)', () => {
    const file = new URL('../../fixtures/field/08-constrained-deadline.json', import.meta.url);
    const workload = { tasks: [], ...JSON.parse(readFileSync(file, 'utf8')) };
    const { slices, deadlines, responses } = schedule(workload);
    expect(slices[0]).toEqual({ name: 'thread0', start: 0, end: 1000, processor: 0 });
    expect(deadlines.thread0!.slice(0, 3)).toEqual([8_000, 18_000, 28_000]);
    expect(responses).toEqual({
      thread0: { jobs: 10, worst: 1_000, mean: 1_000, missed: 0 },
      thread1: { jobs: 1, worst: 56_000, mean: 56_000, missed: 0 },
    });
    const once = { ...workload.servers[0], jobs: [[0, 1000]] };
    const { finishes, responses: ofJobs } = schedule({ ...workload, servers: [workload.servers[1], once] });
    expect([finishes.thread0, ofJobs.thread0!.missed]).toEqual([[1_000], 0]);
  });

  test('awake between deadline and next period have no budget until that begins', () => {
    const S = {
      name: 'S',
      budget: 2,
      deadline: 4,
      period: 10,
      jobs: [
        [0, 1],
        [6, 2],
      ] as const,
    };
    const result = schedule({ ...alone, scheduler: 'deadline', servers: [S], tasks: [] });
    expect([result.finishes.S, result.deadlines.S]).toEqual([
      [1, 12],
      [4, 14],
    ]);
    expect(result.responses.S).toEqual({ jobs: 2, worst: 6, mean: 3.5, missed: 1 });
  });
});

describe('response times', () => {
  test('leave out what nobody said a deadline of, and count what is not done though it was due', () => {
    const S = {
      name: 'S',
      budget: 1,
      period: 10,
      jobs: [
        [0, 3],
        [50, 1],
      ] as const,
    };
    const busy = { name: 'busy', budget: 6, period: 10, jobs: 'backlogged' as const };
    const workload = { ...alone, horizon: 21, servers: [S, busy], tasks: [] };
    expect(schedule({ ...workload, scheduler: 'cbs-hard' }).responses).toEqual({
      S: { jobs: 1, worst: 21, mean: 21, missed: null },
      busy: { jobs: 2, worst: 7, mean: 7, missed: 0 },
    });
    expect(schedule({ ...workload, scheduler: 'cbs-soft' }).responses.busy).toEqual({
      ...{ jobs: 0, worst: null, mean: null, missed: null },
    });
    const late = [{ name: 'late', wcet: 3, period: 4, deadline: 3 }];
    const first = [{ name: 'first', wcet: 1, period: 4, deadline: 1 }];
    const { responses } = schedule({ ...alone, horizon: 7, scheduler: 'dm', tasks: [...first, ...late] });
    expect(responses.late).toEqual({ jobs: 1, worst: 4, mean: 4, missed: 2 });
  });
});
