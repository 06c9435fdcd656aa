import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MigrationResult } from '../../src/core/migration/migration-result.ts';
import { orderNames } from '../../src/core/migration/order/orders.ts';
import { PageSet } from '../../src/core/migration/pages.ts';
import type { Plan } from '../../src/core/migration/plan.ts';
import type { Step, StepResult, StepResultOf } from '../../src/core/migration/steps.ts';
import { Failure } from '../../src/platform/failure.ts';
import { driveSync } from '../../src/run/drive.ts';
import {
  decodeTraceLine,
  encodeTraceLine,
  migrationsOf,
  replay,
  type TraceLine,
} from '../../src/run/trace.ts';
import type { MigrationSpec } from '../../src/workload/migration-spec.ts';
import { VirtualWorld } from '../../src/worlds/virtual/virtual-world.ts';
import { smallSetup } from '../fixtures/setup.ts';

const PAGES = 150;

function setup(seed: number, plan: Partial<Plan> = {}): MigrationSpec {
  const classes = [
    { pages: 20, writesPerSecond: 30 },
    { pages: 100, writesPerSecond: 0.5 },
  ];
  return smallSetup({
    guest: { pages: PAGES, seed, program: { kind: 'classes', classes } },
    plan: {
      order: 'lru',
      defer: { threshold: 0.4 },
      stop: { rule: 'rounds', rounds: 2 },
      rateBytesPerSecond: 6_250_000,
      observeNs: 200_000_000,
      windowNs: 40_000_000,
      seed,
      ...plan,
    },
  });
}

/** A migration in virtual time, and everything that passed between it and its world. */
function traced(given: MigrationSpec): { readonly lines: TraceLine[]; readonly course: MigrationResult } {
  const world = new VirtualWorld(given);
  const lines: TraceLine[] = [{ plan: given.plan }];
  const course = driveSync(given.plan, world, (step, seen) => lines.push({ step, seen }));
  return { lines: [...lines, { course }], course };
}

const throughText = (lines: readonly TraceLine[]) =>
  lines.map((line, index) => decodeTraceLine(encodeTraceLine(line), `trace:${index + 1}`));

/** As version 0.1 wrote it. */
const inOldWords = (lines: readonly TraceLine[]) =>
  lines.map((line, index) => {
    const text = encodeTraceLine(line)
      .replace('"measurements":', '"witness":')
      .replace('"dirtyScanNs":0,', '');
    return decodeTraceLine(text, `trace:${index + 1}`);
  });

test('a trace that version 0.1 wrote can be replayed', () => {
  const { lines, course } = traced(setup(3));
  expect(inOldWords(lines)).toEqual(lines);
  expect(replay(inOldWords(lines)).result).toEqual(course);
});

const sending = (pages: Uint32Array) =>
  ({ kind: 'send', pages, rateBytesPerSecond: null, clears: true, endsRound: true }) as const;

const plans = fc.record({
  order: fc.constantFrom(...orderNames),
  heat: fc.constantFrom('estimated' as const, 'known' as const),
  defer: fc.constantFrom(null, { threshold: 0.3 }),
  clear: fc.constantFrom<Plan['clear']>('page', 'round', { chunkPages: 16 }),
  stop: fc.constantFrom<Plan['stop']>({ rule: 'rounds', rounds: 2 }, { rule: 'downtime', limitNs: 1e9 }),
});

describe('a line of a trace', () => {
  test('is one line, and says after decoding what it said before, bit by bit', () => {
    fc.assert(
      fc.property(plans, fc.nat(), (plan, seed) => {
        const { lines } = traced(setup(seed, plan));
        for (const line of lines) {
          expect(encodeTraceLine(line)).not.toContain('\n');
          expect(decodeTraceLine(encodeTraceLine(line), 'trace')).toStrictEqual(line);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('keeps pages, orders and rates as what they are', () => {
    const seen = { kind: 'dirty', now: 3, dirty: PageSet.of(70, [0, 31, 32, 69]), windowNs: 0 } as const;
    const send = sending(Uint32Array.of(7, 2 ** 32 - 1, 0));
    const line = throughText([{ step: send, seen }])[0] as { step: typeof send; seen: typeof seen };
    expect(line.step.pages).toStrictEqual(send.pages);
    expect(line.seen.dirty).toBeInstanceOf(PageSet);
    expect([...line.seen.dirty.toArray()]).toEqual([0, 31, 32, 69]);
    expect(line.seen.dirty.pages).toBe(70);
    const rates = {
      writesPerSecond: Float64Array.of(0, 1e-300, 16.8, Number.POSITIVE_INFINITY),
      classOf: Uint8Array.of(3, 0, 1, 2, 255),
    };
    const learned = throughText([{ step: { kind: 'learn' }, seen: { kind: 'learned', now: 0, rates } }]);
    expect(learned[0]).toStrictEqual({
      step: { kind: 'learn' },
      seen: { kind: 'learned', now: 0, rates },
    });
  });

  test('keeps a part of a larger array, and not the rest of it', () => {
    const memory = Uint32Array.of(1, 2, 3, 4, 5);
    const send = sending(memory.subarray(1, 3));
    const text = encodeTraceLine({ step: send, seen: { kind: 'failed', now: 0, why: '' } });
    expect(decodeTraceLine(text, 'trace')).toMatchObject({ step: { pages: Uint32Array.of(2, 3) } });
  });

  // What other programs read: the numbers of pages as words, the least significant byte first.
  test('writes words with the least significant byte first', () => {
    const send = sending(Uint32Array.of(0x0403_0201));
    const text = encodeTraceLine({ step: send, seen: { kind: 'failed', now: 0, why: '' } });
    expect(text).toContain(`"pages":{"uint32":"${Buffer.from([1, 2, 3, 4]).toString('base64')}"}`);
  });

  test.each([
    '',
    '{',
    'nonsense',
    '{"step":{"kind":"send","pages":{"uint32":"AAA="}}}',
  ])('that is none is a failure that says where: %j', (text) => {
    expect(() => decodeTraceLine(text, 'run.trace:7')).toThrow(Failure);
    expect(() => decodeTraceLine(text, 'run.trace:7')).toThrow('run.trace:7: not a line of a trace');
  });

  test.each([
    '3',
    'null',
    '"plan"',
    '[]',
    '{}',
    '{"step":{"kind":"learn"}}',
  ])('that is JSON but no line of a trace is one, too: %s', (text) => {
    expect(() => decodeTraceLine(text, 'run.trace:7')).toThrow(Failure);
  });
});

describe('a replay', () => {
  test('of any virtual migration, written down and read again, asks the same and comes to the same', () => {
    fc.assert(
      fc.property(plans, fc.nat(), (plan, seed) => {
        const { lines, course } = traced(setup(seed, plan));
        expect(replay(throughText(lines))).toStrictEqual({
          steps: lines.length - 2,
          result: course,
          difference: undefined,
        });
      }),
      { numRuns: 20 },
    );
  });

  test('of version 0.1, which asked for every window by itself, comes to the same', () => {
    const given = setup(3);
    const world = new VirtualWorld(given);
    const lines: TraceLine[] = [{ plan: given.plan }];
    const carryOut = (step: Step): StepResult =>
      world.carryOut(step.kind === 'observe' ? { ...step, windows: 1 } : step);
    const course = driveSync(given.plan, { carryOut }, (step, seen) => lines.push({ step, seen }));
    const texts = [...lines, { course }].map((line) => encodeTraceLine(line).replace(/,"windows":\d+/, ''));
    expect(texts.filter((text) => text.includes('"kind":"observe","windowNs":40000000}')).length).toBe(5);
    const replayed = replay(texts.map((text, index) => decodeTraceLine(text, `trace:${index + 1}`)));
    expect(replayed).toStrictEqual({ steps: lines.length - 1, result: course, difference: undefined });
  });

  const { lines } = traced(setup(3));
  const kindsOf = lines.map((line) => ('step' in line ? line.step.kind : ''));
  const first = (kind: Step['kind']) => kindsOf.indexOf(kind);
  /** The trace with another answer to one step. */
  const answered = (index: number, change: (seen: StepResult) => object) => {
    const { step, seen } = lines[index] as { step: Step; seen: StepResult };
    return lines.with(index, { step, seen: { ...seen, ...change(seen) } as StepResult });
  };

  test('notices when a page was dirty that was not: the next round would send it', () => {
    const harvest = first('harvest');
    const other = answered(harvest, (seen) => {
      const dirty = (seen as StepResultOf<'dirty'>).dirty.copy();
      dirty.add(Array.from({ length: PAGES }, (_, page) => page).find((page) => !dirty.has(page))!);
      return { dirty };
    });
    expect(replay(other)).toEqual({
      steps: harvest,
      result: undefined,
      difference: `step ${harvest + 1} was 'send', now 'send'`,
    });
  });

  test('notices when the guest was seen to write other pages before the start', () => {
    const pages = Uint32Array.from({ length: PAGES }, (_, page) => page);
    const seen = new Uint32Array(PAGES).fill(1);
    const other = answered(first('observe'), (answer) => ({
      windows: { ...(answer as StepResultOf<'watched'>).windows, pages, seen },
    }));
    const { difference } = replay(other);
    expect(difference).toBe(`step ${first('send')} was 'send', now 'send'`);
  });

  test('notices when an instant was another one: the result is not the same', () => {
    for (const kind of ['track', 'harvest', 'stop', 'hand over'] as const) {
      const other = answered(first(kind), (seen) => {
        const instants = Object.entries(seen).filter(([key]) => key === 'now' || key.endsWith('AtNs'));
        return Object.fromEntries(instants.map(([key, ns]) => [key, ns + 1]));
      });
      expect(replay(other).difference, kind).toBe('the result differs');
    }
  });

  test('notices when the result that was written down is another', () => {
    const course = (lines.at(-1) as { course: MigrationResult }).course;
    const other = lines.with(-1, { course: { ...course, downtimeNs: course.downtimeNs + 1 } });
    expect(replay(other).difference).toBe('the result differs');
  });

  test('notices when the plan was another', () => {
    const other = lines.with(0, { plan: { ...setup(3).plan, stop: { rule: 'rounds', rounds: 3 } } });
    expect(replay(other).difference).toMatch(/^step \d+ was 'stop', now '(send|harvest)'$/);
  });

  test('notices when the trace says more, or less, than happened', () => {
    const last = lines.length - 2;
    expect(replay(lines.toSpliced(last + 1, 0, lines[last]!)).difference).toBe(
      `step ${last + 1} was 'hand over', now the end`,
    );
    expect(replay(lines.toSpliced(last, 1)).difference).toBe('the result differs');
    expect(replay(lines.slice(0, -1)).difference).toBe('the trace ends before the migration does');
    expect(replay(lines.slice(0, 4)).difference).toBe('the trace ends before the migration does');
  });

  test('needs a plan to begin with', () => {
    expect(() => replay([])).toThrow(Failure);
    expect(() => replay(lines.slice(1))).toThrow(Failure);
  });
});

describe('a trace of several migrations', () => {
  test('is cut where a plan stands', () => {
    const [one, two] = [traced(setup(1)).lines, traced(setup(2, { order: 'address' })).lines];
    expect(Array.from(migrationsOf([...one, ...two]), (own) => [...own])).toEqual([one, two]);
    expect([...migrationsOf([])]).toEqual([]);
    expect(Array.from(migrationsOf([...one, ...two]), (own) => replay(own).difference)).toEqual([
      undefined,
      undefined,
    ]);
  });

  test('that begins in the middle keeps what comes before the first plan, which then cannot be replayed', () => {
    const { lines } = traced(setup(1));
    const cut = Array.from(migrationsOf([...lines.slice(3), ...lines]), (own) => [...own]);
    expect(cut).toEqual([lines.slice(3), lines]);
    expect(() => replay(cut[0]!)).toThrow('a trace begins with a plan');
  });
});
