import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CbsRule } from '../../../src/core/cpu/cbs.ts';
import { Overload, type Schedule, schedule } from '../../../src/core/cpu/schedule.ts';
import type { ServedJobs, Workload } from '../../../src/core/cpu/workload.ts';
import { type Contender, slotBySlot } from './slot-by-slot.ts';

const basics = { processors: 1, servers: [], tasks: [] };

function busy(name: string, budget: number, period: number): ServedJobs {
  return { name, budget, period, jobs: 'backlogged' };
}

/** `[0,2)C` and so on, as the oracles are written. */
function timeline({ slices }: Schedule): string {
  return slices.map(({ name, start, end }) => `[${start},${end})${name}`).join(' ');
}

describe('the time lines of docs and textbooks', () => {
  test('E1, Buttazzo’s figure 6.14: a task (4, 7) and a server (3, 8)', () => {
    const result = schedule({
      ...{ scheduler: 'cbs-soft', processors: 1, horizon: 20 },
      servers: [
        {
          name: 'S',
          budget: 3,
          period: 8,
          jobs: [
            [3, 4],
            [13, 3],
          ],
        },
      ],
      tasks: [{ name: 'τ', wcet: 4, period: 7 }],
    });
    expect(timeline(result)).toBe('[0,4)τ [4,7)S [7,11)τ [11,12)S [13,15)S [15,19)τ [19,20)S');
    expect(result.deadlines).toEqual({ S: [11, 19, 27] });
    expect(result.finishes).toEqual({ S: [12, 20], τ: [4, 11, 19] });
    expect(result.slices[0]).toEqual({ name: 'τ', start: 0, end: 4, processor: 0 });
  });

  const three = [busy('A', 2, 10), busy('B', 5, 20), busy('C', 1, 4)];

  test('E2: three hard servers that are always busy leave 6 of 20 idle', () => {
    const result = schedule({ ...basics, scheduler: 'cbs-hard', horizon: 40, servers: three });
    const round = (at: number) =>
      [
        ...[
          [0, 1, 'C'],
          [1, 3, 'A'],
          [3, 4, 'B'],
          [4, 5, 'C'],
          [5, 8, 'B'],
          [8, 9, 'C'],
          [9, 10, 'B'],
        ],
        ...[
          [10, 12, 'A'],
          [12, 13, 'C'],
          [16, 17, 'C'],
        ],
      ].map(([start, end, name]) => `[${at + Number(start)},${at + Number(end)})${name}`);
    expect(timeline(result)).toBe([...round(0), ...round(20)].join(' '));
    expect(result.deadlines.A).toEqual([10, 20, 30, 40]);
    expect(result.deadlines.B).toEqual([20, 40]);
    expect(result.deadlines.C).toEqual([4, 8, 12, 16, 20, 24, 28, 32, 36, 40]);
    expect(result.finishes).toEqual({ A: [], B: [], C: [] });
  });

  test('E2s: the same soft never idles', () => {
    const result = schedule({ ...basics, scheduler: 'cbs-soft', horizon: 20, servers: three });
    expect(timeline(result)).toBe('[0,2)C [2,4)A [4,6)C [6,8)A [8,13)B [13,16)C [16,18)A [18,20)C');
  });

  const E3 = [
    {
      name: 'S',
      budget: 4,
      period: 10,
      jobs: [
        [0, 1],
        [2, 2],
        [5, 4],
        [20, 3],
        [22, 2],
      ] as const,
    },
  ];

  test('E3: a soft server (4, 10)', () => {
    const result = schedule({ ...basics, scheduler: 'cbs-soft', horizon: 40, servers: E3 });
    expect(result.finishes.S).toEqual([1, 4, 9, 23, 25]);
    expect(timeline(result)).toBe('[0,1)S [2,4)S [5,9)S [20,25)S');
    expect(result.deadlines.S).toEqual([10, 20, 30, 40]);
  });

  test('E3: a hard server (4, 10) is throttled in [6, 10) and [24, 30)', () => {
    const result = schedule({ ...basics, scheduler: 'cbs-hard', horizon: 40, servers: E3 });
    expect(result.finishes.S).toEqual([1, 4, 13, 23, 31]);
    expect(timeline(result)).toBe('[0,1)S [2,4)S [5,6)S [10,13)S [20,24)S [30,31)S');
    expect(result.deadlines.S).toEqual([10, 20, 30, 40]);
  });

  test('E4: a sender (3, 10) beside a hard guest (6, 10) that is always busy', () => {
    const sender: ServedJobs = { name: 'sender', budget: 3, period: 10, jobs: [[4, 9]] };
    const servers = [busy('guest', 6, 10), sender];
    const result = schedule({ ...basics, scheduler: 'cbs-hard', horizon: 40, servers });
    const sent = result.slices.filter(({ name }) => name === 'sender').map(({ start, end }) => [start, end]);
    expect(sent).toEqual([
      [6, 9],
      [16, 19],
      [26, 29],
    ]);
    expect(result.finishes.sender).toEqual([29]);
    expect(result.deadlines.sender).toEqual([14, 24, 34]);
  });

  test('E5: where using up the budget is exactly the share, Linux keeps it and Abeni & Buttazzo do not', () => {
    const servers = [
      {
        name: 'S',
        budget: 4,
        period: 10,
        jobs: [
          [0, 2],
          [5, 3],
        ] as const,
      },
    ];
    for (const scheduler of ['cbs-soft', 'cbs-hard'] as const) {
      const result = schedule({ ...basics, scheduler, horizon: 20, servers });
      expect([result.finishes.S, result.deadlines.S]).toEqual([
        [2, 8],
        [10, 15],
      ]);
    }
    for (const scheduler of ['deadline', 'cbs-linux'] as const) {
      const result = schedule({ ...basics, scheduler, horizon: 20, servers });
      expect([result.finishes.S, result.deadlines.S]).toEqual([
        [2, 11],
        [10, 20],
      ]);
      expect(timeline(result)).toBe('[0,2)S [5,7)S [10,11)S');
    }
  });
});

describe('several processors', () => {
  test('shares of 0.7, 0.3, 0.5 and 0.5 fill two processors', () => {
    const servers = [busy('A', 7, 10), busy('B', 3, 10), busy('C', 5, 10), busy('D', 5, 10)];
    const { slices } = schedule({ ...basics, scheduler: 'cbs-hard', processors: 2, horizon: 20, servers });
    expect(slices).toEqual([
      { name: 'A', start: 0, end: 7, processor: 0 },
      { name: 'C', start: 0, end: 5, processor: 1 },
      { name: 'D', start: 5, end: 10, processor: 1 },
      { name: 'B', start: 7, end: 10, processor: 0 },
      { name: 'A', start: 10, end: 17, processor: 0 },
      { name: 'C', start: 10, end: 15, processor: 1 },
      { name: 'D', start: 15, end: 20, processor: 1 },
      { name: 'B', start: 17, end: 20, processor: 0 },
    ]);
  });

  test('three shares of 0.6 do not fit two, which is said with the reason', () => {
    const servers = [busy('A', 6, 10), busy('B', 6, 10), busy('C', 6, 10)];
    const refused = () => schedule({ ...basics, scheduler: 'cbs-hard', processors: 2, horizon: 20, servers });
    expect(refused).toThrow(Overload);
    expect(refused).toThrow(/^C .*1\.80 of 2 processors/);
  });

  test('under the kernel they do: its rule is a sum, and three share two in turn', () => {
    const servers = [busy('A', 6, 10), busy('B', 6, 10), busy('C', 6, 10)];
    const result = schedule({ ...basics, scheduler: 'deadline', processors: 2, horizon: 10, servers });
    expect(timeline(result)).toBe('[0,6)A [0,6)B [6,10)C');
  });

  test('the kernel lets 95 % of each be reserved, by the sum', () => {
    const at = (processors: number, ...servers: ServedJobs[]) =>
      schedule({ ...basics, scheduler: 'deadline', processors, horizon: 10, servers });
    expect(() => at(1, busy('S', 29, 30))).toThrow(
      'S (29 of every 30) is refused: 96.7 % is more than the 95.0 % of a processor that the kernel lets be reserved; at most 28 of every 30 would do',
    );
    expect(at(2, busy('S', 29, 30)).slices).toHaveLength(1);
    expect(() => at(2, busy('A', 10, 10), busy('B', 91, 100))).toThrow(
      'B (91 of every 100) is refused: 91.0 %, beside 100.0 % reserved already, is more than the 190.0 % of 2 processors',
    );
  });

  test('tasks count as well', () => {
    const workload: Workload = {
      ...{ scheduler: 'cbs-soft', processors: 1, horizon: 20, servers: [busy('S', 6, 10)] },
      tasks: [{ name: 'τ', wcet: 5, period: 10 }],
    };
    expect(() => schedule(workload)).toThrow(Overload);
    expect(schedule({ ...workload, processors: 2 }).finishes.τ).toEqual([5, 15]);
  });

  test('fair reserves nothing: all take turns, the i-th on processor i modulo their number', () => {
    const servers = [busy('A', 6, 10), busy('B', 6, 10), busy('C', 6, 10)];
    const tasks = [{ name: 'τ', wcet: 1, period: 4 }];
    const workload = { scheduler: 'fair', processors: 2, servers, tasks } as const;
    const result = schedule({ ...workload, horizon: 4 });
    expect(timeline(result)).toBe('[0,1)A [0,1)B [1,2)C [1,2)τ [2,3)A [2,4)B [3,4)C');
    expect([result.finishes.τ, result.deadlines]).toEqual([[2], { A: [], B: [], C: [] }]);
    expect(timeline(schedule({ ...workload, horizon: 8, quantum: 3 }))).toBe(
      '[0,3)A [0,3)B [3,6)C [3,4)τ [4,7)B [6,8)A [7,8)τ',
    );
  });
});

describe('the horizon', () => {
  test('cuts slices; what is done there counts, what is released there does not', () => {
    const servers: ServedJobs[] = [
      {
        name: 'S',
        budget: 2,
        period: 10,
        jobs: [
          [0, 2],
          [4, 2],
          [10, 1],
        ],
      },
    ];
    const tasks = [{ name: 'τ', wcet: 5, period: 10 }];
    const at = (horizon: number) => {
      const result = schedule({ scheduler: 'cbs-soft', processors: 1, horizon, servers, tasks });
      return [timeline(result), result.finishes];
    };
    expect(at(1)).toEqual(['[0,1)S', { S: [], τ: [] }]);
    expect(at(7)).toEqual(['[0,2)S [2,7)τ', { S: [2], τ: [7] }]);
    expect(at(10)).toEqual(['[0,2)S [2,7)τ [7,9)S', { S: [2, 9], τ: [7] }]);
  });

  test('no server has had a deadline that it got only there', () => {
    const servers = [busy('S', 2, 10)];
    expect(schedule({ ...basics, scheduler: 'cbs-hard', horizon: 20, servers }).deadlines.S).toEqual([
      10, 20,
    ]);
  });
});

describe('any workload', () => {
  const rules: Partial<Record<Workload['scheduler'], CbsRule | undefined>> = {
    ...{ fair: undefined, 'cbs-soft': 'soft', 'cbs-hard': 'hard', deadline: 'linux', 'cbs-linux': 'linux' },
  };
  const jobs = fc
    .array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 9 })), { maxLength: 12 })
    .map((pairs) => {
      let release = 0;
      return pairs.map(([pause, work]) => [(release += pause), work] as const);
    });
  const load = fc.integer({ min: 1, max: 20 }).chain((period) =>
    fc.record({
      period: fc.constant(period),
      budget: fc.integer({ min: 1, max: Math.ceil(period / 3) }),
      jobs: fc.oneof(jobs, fc.constant('backlogged' as const)),
    }),
  );
  const workload = fc
    .record({
      scheduler: fc.constantFrom(...(Object.keys(rules) as (keyof typeof rules)[])),
      processors: fc.integer({ min: 1, max: 3 }),
      horizon: fc.integer({ min: 1, max: 120 }),
      quantum: fc.integer({ min: 1, max: 4 }),
      loads: fc.array(load, { minLength: 1, maxLength: 5 }),
      taskLoads: fc.array(load, { maxLength: 2 }),
    })
    .map(
      ({ loads, taskLoads, ...rest }): Workload => ({
        ...rest,
        servers: loads.map((one, index) => ({ name: `S${index}`, ...one })),
        tasks: taskLoads.map(({ budget, period }, index) => ({ name: `τ${index}`, wcet: budget, period })),
      }),
    );
  test('is scheduled as the rules say, slot by slot, on each processor', () => {
    fc.assert(
      fc.property(workload.filter(isPartitioned), (workload) => {
        const result = scheduleOrNothing(workload);
        fc.pre(result !== undefined);
        const { slices, finishes } = result!;
        const rule = rules[workload.scheduler];
        const all = contendersOf(workload);
        for (let processor = 0; processor < workload.processors; processor++) {
          const here = slices.filter((slice) => slice.processor === processor);
          // Who never ran here cannot have changed anything here, wherever it is.
          const names = new Set(here.map(({ name }) => name));
          const contenders = all.filter(({ name }) => names.has(name));
          const expected = slotBySlot(
            rule ?? 'hard',
            contenders.map((one): Contender => (rule ? one : { ...one, kind: 'best effort' })),
            workload.quantum!,
            workload.horizon,
          );
          expect(here).toEqual(
            expected.slices.map(({ who, start, end }) => ({
              name: contenders[who]!.name,
              start,
              end,
              processor,
            })),
          );
          for (const [who, { name }] of contenders.entries()) {
            expect(finishes[name]).toEqual(expected.finishes[who]);
          }
        }
        const order = slices.map(({ start, processor }) => start * 10 + processor);
        expect(order).toEqual(order.toSorted((one, other) => one - other));
      }),
      { numRuns: 400 },
    );
  });

  test('under the kernel has all processors in one group: those with the earliest deadlines run', () => {
    fc.assert(
      fc.property(
        workload.filter((one) => !isPartitioned(one)),
        (workload) => {
          const result = scheduleOrNothing(workload);
          fc.pre(result !== undefined);
          const all = contendersOf(workload);
          const { horizon, processors } = workload;
          const expected = slotBySlot('linux', all, 1, horizon, processors);
          const slices = expected.slices.map(({ who, ...slice }) => ({ name: all[who]!.name, ...slice }));
          expect(result!.slices).toEqual(
            slices.sort((one, other) => one.start - other.start || one.processor - other.processor),
          );
          for (const [who, { name }] of all.entries()) {
            expect(result!.finishes[name]).toEqual(expected.finishes[who]);
          }
        },
      ),
      { numRuns: 400 },
    );
  });

  /** Whether each has one processor where it stays. */
  function isPartitioned({ scheduler }: Workload): boolean {
    return scheduler !== 'deadline' && scheduler !== 'cbs-linux';
  }

  function contendersOf({ servers, tasks }: Workload) {
    return [
      ...servers.map(({ name, budget, period, jobs }) => ({
        ...{ name, kind: 'server' as const, budget, period },
        jobs: jobs === 'backlogged' ? ([[0, Number.POSITIVE_INFINITY]] as const) : jobs,
      })),
      ...tasks.map(({ name, wcet, period }) => ({
        ...{ name, kind: 'task' as const, budget: wcet, period },
        jobs: Array.from({ length: 120 }, (_, job) => [job * period, wcet] as const),
      })),
    ];
  }

  function scheduleOrNothing(workload: Workload): Schedule | undefined {
    try {
      return schedule(workload);
    } catch (cause) {
      if (cause instanceof Overload) return undefined;
      throw cause;
    }
  }
});

describe('a large workload', () => {
  test('a thousand servers over a million units, each asked for its budget every tenth period', () => {
    const servers = Array.from({ length: 1000 }, (_, index): ServedJobs => {
      const period = 10 + (index % 991);
      const jobs = Array.from({ length: 1e5 / period }, (_, job) => [10 * job * period, 1] as const);
      return { name: `S${index}`, budget: 1, period, jobs };
    });
    const workload = {
      ...basics,
      scheduler: 'cbs-hard',
      processors: 6,
      horizon: 1_000_000,
      servers,
    } as const;
    const { finishes } = schedule(workload);
    for (const { name, period, jobs } of servers) {
      expect(finishes[name]).toHaveLength(jobs.length);
      const latest = finishes[name]!.reduce((most, at, job) => Math.max(most, at - 10 * job * period), 0);
      expect(latest).toBeLessThanOrEqual(period);
    }
  });
});
