import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CbsRule } from '../../../src/core/cpu/cbs.ts';
import { cbsRules } from '../../../src/core/cpu/cbs.ts';
import { FAIR_QUANTUM_NS, Processor } from '../../../src/core/cpu/processor.ts';
import { type Contender, type Outcome, slotBySlot } from './slot-by-slot.ts';

type Jobs = Contender['jobs'];

/** Jobs as pauses between releases, and works. */
const jobs: fc.Arbitrary<Jobs> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 12 }), fc.integer({ min: 1, max: 9 })), { maxLength: 14 })
  .map((pairs) => {
    let release = 0;
    return pairs.map(([pause, work]) => [(release += pause), work] as const);
  });
const alwaysBusy: Jobs = [[0, Number.POSITIVE_INFINITY]];

const reservation = fc
  .integer({ min: 1, max: 12 })
  .chain((period) => fc.record({ period: fc.constant(period), budget: fc.integer({ min: 1, max: period }) }));

const server = fc
  .record({ reservation, jobs: fc.oneof({ weight: 4, arbitrary: jobs }, fc.constant(alwaysBusy)) })
  .map(({ reservation, jobs }): Contender => ({ kind: 'server', ...reservation, jobs }));
const task = fc
  .record({ period: fc.integer({ min: 2, max: 12 }), jobs })
  .map((rest): Contender => ({ kind: 'task', budget: 0, ...rest }));
const bestEffort = fc
  .oneof(jobs, fc.constant(alwaysBusy))
  .map((jobs): Contender => ({ kind: 'best effort', budget: 0, period: 0, jobs }));

/** Periods divide this, so that shares are whole numbers of its parts. */
const WHOLE = 27_720;

/** Servers whose shares add up to one at most: each gets what it asks for as far as the others before it left it. */
const fittingServers = fc.array(server, { minLength: 1, maxLength: 4 }).map((asked) => {
  let left = WHOLE;
  return asked.flatMap((one) => {
    const part = WHOLE / one.period;
    const budget = Math.min(one.budget, Math.floor(left / part));
    left -= budget * part;
    return budget === 0 ? [] : [{ ...one, budget }];
  });
});

const hardRule = fc.constantFrom<CbsRule>('hard', 'linux');
const HORIZON = 200;

/** The processor under test with contenders; `look` is called after every event and arrival, with the processor. */
function simulate(
  rule: CbsRule,
  contenders: readonly Contender[],
  { quantum = 1, horizon = HORIZON, stops = [] as readonly number[], look = (_: Processor) => {} } = {},
): Outcome {
  const slices: Outcome['slices'][number][] = [];
  const finishes = contenders.map((): number[] => []);
  const processor = new Processor(
    rule,
    {
      slice: (who, start, end, processor) => slices.push({ who, start, end, processor }),
      finished: (who, at) => finishes[who]!.push(at),
    },
    quantum,
  );
  for (const { kind, budget, period } of contenders) {
    if (kind === 'server') processor.addServer({ budgetNs: budget, periodNs: period });
    else if (kind === 'task') processor.addTask(period);
    else processor.addBestEffort();
  }
  const arrivals = contenders
    .flatMap(({ jobs }, who) => jobs.map(([release, work]) => ({ who, release, work })))
    .filter(({ release }) => release < horizon)
    .sort((one, other) => one.release - other.release || one.who - other.who);
  const runUntil = (untilNs: number) => {
    for (let next = processor.nextEventNs(); next <= untilNs; next = processor.nextEventNs()) {
      processor.runUntil(next);
      look(processor);
    }
    processor.runUntil(untilNs);
  };
  const instants = [...new Set([...arrivals.map(({ release }) => release), ...stops])].sort((a, b) => a - b);
  for (const instant of instants.filter((at) => at < horizon)) {
    runUntil(instant);
    for (const { who, release, work } of arrivals) if (release === instant) processor.arrive(who, work);
    look(processor);
  }
  runUntil(horizon);
  processor.flush();
  return { slices, finishes };
}

/** How much a contender had been served by each instant from 0 to the horizon. */
function servedBy({ slices }: Outcome, who: number, horizon = HORIZON): number[] {
  const served = new Array<number>(horizon + 1).fill(0);
  for (const { who: other, start, end } of slices) if (other === who) served.fill(1, start + 1, end + 1);
  for (let t = 1; t <= horizon; t++) served[t]! += served[t - 1]!;
  return served;
}

describe('a processor does what the rules say, slot by slot', () => {
  for (const rule of cbsRules) {
    test(`${rule}: servers of any shares, tasks and best effort together, looked at whenever one likes`, () => {
      fc.assert(
        fc.property(
          fc.array(server, { maxLength: 4 }),
          fc.array(task, { maxLength: 2 }),
          fc.array(bestEffort, { maxLength: 3 }),
          fc.integer({ min: 1, max: 5 }),
          fc.array(fc.integer({ min: 0, max: HORIZON }), { maxLength: 10 }),
          (servers, tasks, others, quantum, stops) => {
            const contenders = [...servers, ...tasks, ...others];
            const expected = slotBySlot(rule, contenders, quantum, HORIZON);
            expect(simulate(rule, contenders, { quantum, stops })).toEqual(expected);
          },
        ),
        { numRuns: 500 },
      );
    });

    test(`${rule}: servers that fit`, () => {
      fc.assert(
        fc.property(fittingServers, (servers) => {
          expect(simulate(rule, servers)).toEqual(slotBySlot(rule, servers, 1, HORIZON));
        }),
        { numRuns: 500 },
      );
    });
  }
});

describe('servers whose shares add up to one at most', () => {
  /**
   * A budget that begins at r serves at most U·(r' − r) if the next one begins at r': either r' ≥ r + P, or the
   * wake-up rule has seen to it. So a window holds the rest of one budget (≤ Q), those that begin in it but for the
   * last (≤ U·time), and the last (≤ Q), and Q takes at least the time Q:
   *
   *   served in t ≤ min(t, 2Q + U·(t − 2Q))
   *
   * This is the line through the corners of the periodic resource's greatest supply. (⌈t/P⌉ + 1)·Q would be too
   * little, because waking sets budgets anew in the middle of a period: see below.
   */
  test('a hard server never gets more in any window than min(t, 2Q + U·(t − 2Q))', () => {
    fc.assert(
      fc.property(hardRule, fittingServers, (rule, servers) => {
        const outcome = simulate(rule, servers);
        for (const [who, { budget, period }] of servers.entries()) {
          const served = servedBy(outcome, who);
          for (let from = 0; from < HORIZON; from++) {
            for (let to = from + 2 * budget; to <= HORIZON; to++) {
              const most = 2 * budget * period + budget * (to - from - 2 * budget);
              if ((served[to]! - served[from]!) * period > most) {
                expect.fail(`${served[to]! - served[from]!} units in [${from}, ${to}]`);
              }
            }
          }
        }
      }),
      { numRuns: 150 },
    );
  });

  test('and it may get more than (⌈t/P⌉ + 1)·Q, for it may wake to a new budget within its period', () => {
    const { slices } = simulate('hard', [
      { kind: 'server', budget: 15, period: 20, jobs: [[0, 15]] },
      {
        kind: 'server',
        budget: 5,
        period: 20,
        jobs: [
          [0, 5],
          [20, 1],
          [24, 5],
        ],
      },
    ]);
    expect(slices).toMatchObject([
      { who: 0, start: 0, end: 15 },
      { who: 1, start: 15, end: 21 },
      { who: 1, start: 24, end: 29 },
    ]);
  });

  test('a hard server never has budget left when its deadline comes', () => {
    fc.assert(
      fc.property(hardRule, fittingServers, (rule, servers) => {
        simulate(rule, servers, {
          look: (processor) => {
            for (const who of servers.keys()) {
              const { phase, deadlineNs } = processor.server(who)!;
              if (phase === 'ready') expect(deadlineNs).toBeGreaterThan(processor.now);
            }
          },
        });
      }),
      { numRuns: 300 },
    );
  });

  test('whatever the others do, a busy hard server gets exactly Q in each of its periods', () => {
    fc.assert(
      fc.property(hardRule, fittingServers, (rule, servers) => {
        const outcome = simulate(rule, servers);
        for (const [who, { budget, period, jobs }] of servers.entries()) {
          if (jobs !== alwaysBusy) continue;
          const served = servedBy(outcome, who);
          for (let k = 0; (k + 1) * period <= HORIZON; k++) {
            expect(served[(k + 1) * period]! - served[k * period]!).toBe(budget);
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('whatever the others do, a busy server gets at least the periodic resource’s supply in every window', () => {
    /** Shin & Lee, RTSS 2003. */
    const supply = (budget: number, period: number, t: number) => {
      const gap = period - budget;
      const k = Math.floor((t - gap) / period);
      return t < gap ? 0 : k * budget + Math.max(0, t - 2 * gap - k * period);
    };
    fc.assert(
      fc.property(hardRule, reservation, fittingServers, (rule, { budget, period }, servers) => {
        const left = WHOLE - (budget * WHOLE) / period;
        const share = servers.reduce((sum, one) => sum + (one.budget * WHOLE) / one.period, 0);
        fc.pre(share <= left);
        const busy: Contender = { kind: 'server', budget, period, jobs: alwaysBusy };
        const served = servedBy(simulate(rule, [...servers, busy]), servers.length);
        for (let from = 0; from < HORIZON; from++) {
          for (let to = from; to <= HORIZON; to++) {
            if (served[to]! - served[from]! < supply(budget, period, to - from)) {
              expect.fail(`${served[to]! - served[from]!} units in [${from}, ${to}]`);
            }
          }
        }
      }),
      { numRuns: 100 },
    );
  });

  test('whatever the others do, work w that finds a server at rest is done after ⌈w/Q⌉ periods', () => {
    const one = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 1, max: 30 }));
    fc.assert(
      fc.property(
        fc.constantFrom(...cbsRules),
        fittingServers,
        one,
        (rule, [first, ...others], [at, work]) => {
          const { budget, period } = first!;
          const contenders = [...others, { ...first!, jobs: [[at, work]] } as Contender];
          const horizon = at + Math.ceil(work / budget) * period;
          expect(simulate(rule, contenders, { horizon }).finishes.at(-1)).toHaveLength(1);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('under the soft rule nobody waits while the processor is idle', () => {
    fc.assert(
      fc.property(fittingServers, (servers) => {
        const { slices } = simulate('soft', servers);
        const busy = new Set(
          slices.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i)),
        );
        let pending = 0;
        for (let t = 0; t < HORIZON; t++) {
          for (const { jobs } of servers)
            for (const [release, work] of jobs) if (release === t) pending += work;
          expect(busy.has(t)).toBe(pending > 0);
          if (pending > 0) pending -= 1;
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a processor', () => {
  test('starts at 0 with nothing to expect', () => {
    const processor = new Processor('hard');
    processor.addServer({ budgetNs: 2, periodNs: 10 });
    expect([processor.now, processor.nextEventNs()]).toEqual([0, Number.POSITIVE_INFINITY]);
    processor.runUntil(7);
    expect([processor.now, processor.served(0), processor.pending(0)]).toEqual([7, 0, 0]);
  });

  test('tells what was served and what is pending at any instant, also of a budget half used', () => {
    const processor = new Processor('hard');
    const server = processor.addServer({ budgetNs: 4, periodNs: 10 });
    const idler = processor.addBestEffort();
    processor.arrive(server, 5);
    processor.arrive(server, 2);
    processor.arrive(idler, Number.POSITIVE_INFINITY);
    processor.runUntil(3);
    expect([processor.served(server), processor.pending(server)]).toEqual([3, 4]);
    expect(processor.server(server)).toMatchObject({ remainingNs: 1, deadlineNs: 10, phase: 'ready' });
    expect(processor.server(idler)).toBeUndefined();
    processor.runUntil(9);
    expect(processor.server(server)).toMatchObject({ remainingNs: 0, deadlineNs: 10, phase: 'throttled' });
    expect([processor.served(idler), processor.pending(idler)]).toEqual([5, Number.POSITIVE_INFINITY]);
  });

  test('names the next event: end of a job, of a budget, of a quantum; the next budget', () => {
    const processor = new Processor('hard', {}, 3);
    const server = processor.addServer({ budgetNs: 2, periodNs: 10 });
    processor.arrive(server, 7);
    const expected = [2, 10, 12, 20, 22, 30, 31, Number.POSITIVE_INFINITY];
    for (const next of expected) {
      expect(processor.nextEventNs()).toBe(next);
      if (next < 40) processor.runUntil(next);
    }
    processor.arrive(processor.addBestEffort(), 5);
    expect(processor.nextEventNs()).toBe(34);
  });

  test('a server that ends its work with the last of its budget sleeps with none, and wakes throttled', () => {
    const processor = new Processor('hard');
    const server = processor.addServer({ budgetNs: 4, periodNs: 10 });
    processor.arrive(server, 4);
    processor.runUntil(6);
    expect(processor.server(server)).toMatchObject({ remainingNs: 0, deadlineNs: 10, phase: 'idle' });
    processor.arrive(server, 1);
    expect(processor.server(server)?.phase).toBe('throttled');
    processor.runUntil(11);
    expect(processor.server(server)).toMatchObject({ remainingNs: 3, deadlineNs: 20, phase: 'idle' });
  });

  test.each([
    'server',
    'task',
    'best effort',
  ] as const)('forgets the work that is withdrawn from a %s', (kind) => {
    const finished: number[] = [];
    const processor = new Processor('hard', { finished: (_, at) => finished.push(at) }, 2);
    const one =
      kind === 'server'
        ? processor.addServer({ budgetNs: 2, periodNs: 10 })
        : kind === 'task'
          ? processor.addTask(20)
          : processor.addBestEffort();
    const other = processor.addBestEffort();
    processor.arrive(one, 3);
    processor.arrive(one, 4);
    processor.arrive(other, 3);
    processor.runUntil(1);
    expect(processor.withdraw(one)).toBe(6);
    expect(processor.pending(one)).toBe(0);
    expect(processor.withdraw(one)).toBe(0);
    processor.runUntil(4);
    expect([processor.served(one), processor.served(other)]).toEqual([1, 3]);
    processor.arrive(one, 1);
    processor.runUntil(30);
    expect(finished).toEqual([4, 5]);
  });

  test('who leaves the line takes nothing from the quantum of the one whose turn it is', () => {
    const slices: number[][] = [];
    const processor = new Processor(
      'hard',
      { slice: (entity, start, end) => slices.push([entity, start, end]) },
      3,
    );
    const [one, other, third] = [1, 2, 3].map(() => processor.addBestEffort());
    for (const entity of [one, other, third]) processor.arrive(entity!, Number.POSITIVE_INFINITY);
    processor.runUntil(1);
    processor.withdraw(other!);
    processor.runUntil(4);
    processor.withdraw(third!);
    processor.arrive(third!, 1);
    processor.runUntil(8);
    processor.flush();
    expect(slices).toEqual([
      [0, 0, 3],
      [2, 3, 4],
      [0, 4, 7],
      [2, 7, 8],
    ]);
  });

  test('a throttled server that is left by its work stays idle when its deadline comes', () => {
    const processor = new Processor('hard');
    const server = processor.addServer({ budgetNs: 2, periodNs: 10 });
    processor.arrive(server, Number.POSITIVE_INFINITY);
    processor.runUntil(5);
    expect(processor.withdraw(server)).toBe(Number.POSITIVE_INFINITY);
    expect(processor.nextEventNs()).toBe(Number.POSITIVE_INFINITY);
    processor.runUntil(15);
    expect(processor.server(server)).toMatchObject({ deadlineNs: 10, phase: 'idle' });
  });

  test('best effort: the interrupted one keeps the rest of its quantum, newcomers wait at the tail', () => {
    const contenders: Contender[] = [
      { kind: 'server', budget: 2, period: 10, jobs: [[1, 2]] },
      { kind: 'best effort', budget: 0, period: 0, jobs: [[0, 6]] },
      { kind: 'best effort', budget: 0, period: 0, jobs: [[2, 4]] },
    ];
    expect(simulate('hard', contenders, { quantum: 3 }).slices).toMatchObject([
      { who: 1, start: 0, end: 1 },
      { who: 0, start: 1, end: 3 },
      { who: 1, start: 3, end: 5 },
      { who: 2, start: 5, end: 8 },
      { who: 1, start: 8, end: 11 },
      { who: 2, start: 11, end: 12 },
    ]);
  });

  test('best effort runs for 4 ms at a time unless told otherwise', () => {
    const processor = new Processor('hard');
    processor.arrive(processor.addBestEffort(), Number.POSITIVE_INFINITY);
    expect(processor.nextEventNs()).toBe(FAIR_QUANTUM_NS);
    expect(FAIR_QUANTUM_NS).toBe(4_000_000);
  });

  test('a slice is as long as possible, however often time stops in it; flush ends it', () => {
    const slices: number[][] = [];
    const processor = new Processor('soft', {
      slice: (entity, start, end) => slices.push([entity, start, end]),
    });
    const server = processor.addServer({ budgetNs: 1, periodNs: 2 });
    processor.arrive(server, 3);
    for (const at of [1, 2, 3]) processor.runUntil(at);
    processor.arrive(server, 2);
    processor.runUntil(8);
    expect(slices).toEqual([[0, 0, 5]]);
    processor.arrive(server, 4);
    processor.runUntil(9);
    processor.flush();
    processor.flush();
    processor.runUntil(20);
    expect(slices.slice(1)).toEqual([
      [0, 8, 9],
      [0, 9, 12],
    ]);
  });

  test('no work is done at once, or when its turn comes', () => {
    const finished: number[][] = [];
    const processor = new Processor('hard', { finished: (...what) => finished.push(what) });
    const server = processor.addServer({ budgetNs: 2, periodNs: 10 });
    processor.arrive(server, 0);
    expect(processor.server(server)?.phase).toBe('idle');
    processor.arrive(server, 1);
    processor.arrive(server, 0);
    processor.runUntil(5);
    expect(finished).toEqual([
      [0, 0],
      [0, 1],
      [0, 1],
    ]);
  });

  test('a job may arrive when one is done, and finds the server as the end of that job left it', () => {
    let left = 3;
    const processor: Processor = new Processor('hard', {
      finished: (entity) => left-- > 0 && processor.arrive(entity, 3),
    });
    const server = processor.addServer({ budgetNs: 2, periodNs: 10 });
    processor.arrive(server, 3);
    processor.runUntil(100);
    expect([processor.served(server), left]).toEqual([12, -1]);
  });

  test('many jobs wait in line', () => {
    const finished: number[] = [];
    const processor = new Processor('soft', { finished: (_, at) => finished.push(at) });
    const task = processor.addTask(10);
    for (let i = 0; i < 100; i++) {
      processor.arrive(task, 1);
      processor.arrive(task, 2);
      processor.runUntil(processor.now + 1);
    }
    expect(processor.pending(task)).toBe(200);
    processor.runUntil(1000);
    expect(finished).toEqual(
      Array.from({ length: 200 }, (_, i) => Math.floor((3 * (i + 1)) / 2 - (i % 2 === 0 ? 0.5 : 0))),
    );
  });

  test('what rounding leaves of a job is not waited for', () => {
    const processor = new Processor('soft');
    const task = processor.addTask(10);
    processor.arrive(task, 1);
    for (let i = 0; i < 10; i++) processor.runUntil(processor.now + 0.1);
    expect(processor.now).toBeLessThan(1);
    expect([processor.pending(task), processor.nextEventNs()]).toEqual([0, Number.POSITIVE_INFINITY]);
  });

  test('times need not be whole: nothing is lost to rounding, and time goes on even where it is coarse', () => {
    const some = fc.double({ min: 1e-9, max: 30, noNaN: true });
    const start = fc.constantFrom(0, 1e6, 1e12, 1e15);
    const fractions = fc.array(fc.tuple(some, some), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.constantFrom(...cbsRules), start, fractions, (rule, start, fractions) => {
        let sliceEnd = 0;
        const slice = (_: number, start: number, end: number) => {
          expect(start).toBeGreaterThanOrEqual(sliceEnd);
          expect(end).toBeGreaterThan(start);
          sliceEnd = end;
        };
        const processor = new Processor(rule, { slice }, 1 / 3);
        const entities = [
          processor.addServer({ budgetNs: 3, periodNs: 7 }),
          processor.addServer({ budgetNs: 1_000_000_000, periodNs: 3_000_000_000 }),
          processor.addTask(0.1),
          processor.addBestEffort(),
          processor.addBestEffort(),
        ];
        processor.runUntil(start);
        let arrived = 0;
        for (const [i, [pause, work]] of fractions.entries()) {
          processor.runUntil(processor.now + pause);
          processor.arrive(entities[i % entities.length]!, work);
          arrived += work;
        }
        processor.runUntil(processor.now + 10_000);
        const served = entities.reduce((sum, entity) => sum + processor.served(entity), 0);
        expect(entities.map((entity) => processor.pending(entity))).toEqual([0, 0, 0, 0, 0]);
        expect(Math.abs(served - arrived)).toBeLessThan(1e-4 + 4000 * Number.EPSILON * start);
      }),
      { numRuns: 300 },
    );
  });
});
