import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PageSet } from '../../../src/core/migration/pages.ts';
import { Agenda, runNumber, type Shard, wholeDesign } from '../../../src/study/sweep/agenda.ts';
import { type Design, type Run, runsMax } from '../../../src/study/sweep/design.ts';

function design(change: Partial<Design>): Design {
  const scenario = {
    file: 'x.yaml',
    name: 'x',
    text: '',
    base: {},
    compare: null,
    sweep: null,
    stress: undefined,
  };
  const none = { scenario, set: [], axes: [], hypercube: -1 };
  return { ...none, world: 'virtual', cells: 1, runs: 1, until: null, seed: 1, ...change };
}

/** Works through an agenda as a sweep does, and says which runs it asked for. */
function worked(
  of: Design,
  shard: Shard = wholeDesign,
  downtimeNs: (run: Run) => number = () => 1,
  stopAfter = Number.POSITIVE_INFINITY,
  before: readonly Run[] = [],
): Run[] {
  const done = new PageSet(of.cells * runsMax(of));
  for (const run of before) done.add(runNumber(of, run));
  const agenda = new Agenda(of, shard, done, downtimeNs);
  const runs: Run[] = [];
  for (let next = agenda.take(3); next.length > 0 && runs.length < stopAfter; next = agenda.take(3)) {
    runs.push(...next);
    for (const run of next) agenda.recorded(run, downtimeNs(run));
  }
  return runs;
}

const numbers = (of: Design, runs: readonly Run[]) =>
  runs.map((run) => runNumber(of, run)).sort((a, b) => a - b);

describe('an agenda', () => {
  const sizes = fc.record({ cells: fc.integer({ min: 1, max: 70 }), runs: fc.integer({ min: 1, max: 9 }) });

  test('has every run once, whatever the shards', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 5 }), (size, of) => {
        const whole = design(size);
        const parts = Array.from({ length: of }, (_, part) => worked(whole, { index: part + 1, of }));
        expect(numbers(whole, parts.flat())).toEqual(
          Array.from({ length: size.cells * size.runs }, (_, n) => n),
        );
      }),
    );
  });

  test('interrupted anywhere and begun anew, has the rest and nothing twice', () => {
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: 300 }), (size, stopAfter) => {
        const whole = design(size);
        const first = worked(whole, wholeDesign, undefined, stopAfter);
        const second = worked(whole, wholeDesign, undefined, undefined, first);
        expect(numbers(whole, [...first, ...second])).toEqual(numbers(whole, worked(whole)));
      }),
    );
  });

  test('in a real world all cells come before any is repeated', () => {
    const runs = worked(design({ world: 'threads', cells: 40, runs: 3 }));
    expect(runs.map(({ repetition }) => repetition)).toEqual(
      [1, 2, 3].flatMap((repetition) => Array<number>(40).fill(repetition)),
    );
  });
});

describe('adaptive repetitions', () => {
  const until = { interval: 0.1, most: 200 };
  /** Repetitions that swing by this share of 1000 around it. */
  const swinging = (share: number) => (run: Run) => 1000 + 1000 * share * Math.sin(run.repetition * 2.399);

  test('go on until the interval of the median is narrow enough, and no longer', () => {
    const of = design({ cells: 3, runs: 10, until });
    const runs = worked(of, wholeDesign, (run) => swinging([0.001, 0.2, 3][run.cell]!)(run));
    const counts = [0, 1, 2].map((cell) => runs.filter((run) => run.cell === cell).length);
    expect(counts[0]).toBe(10);
    expect(counts[1]).toBeGreaterThan(10);
    expect(counts[1]).toBeLessThan(200);
    expect(counts[2]).toBe(200);
  });

  test('come to the same runs after an interruption, and in shards', () => {
    const of = design({ cells: 20, runs: 6, until });
    const downtimeNs = (run: Run) => swinging(run.cell / 20)(run);
    const whole = numbers(of, worked(of, wholeDesign, downtimeNs));
    for (const stopAfter of [0, 4, 50, 300]) {
      const first = worked(of, wholeDesign, downtimeNs, stopAfter);
      const rest = worked(of, wholeDesign, downtimeNs, undefined, first);
      expect(numbers(of, [...first, ...rest])).toEqual(whole);
    }
    const halves = [1, 2].flatMap((index) => worked(of, { index, of: 2 }, downtimeNs));
    expect(numbers(of, halves)).toEqual(whole);
  });

  test('end at the most for a cell that never completes', () => {
    const of = design({ runs: 2, until: { interval: 0.1, most: 12 } });
    expect(worked(of, wholeDesign, () => Number.NaN)).toHaveLength(12);
  });
});
