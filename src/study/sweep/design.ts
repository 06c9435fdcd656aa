import type { PredictedMachine } from '../../core/machine-costs.ts';
import { Random } from '../../core/random.ts';
import { type Problem, shown, UsageError } from '../../platform/problem.ts';
import { canBePredicted } from '../../run/predict.ts';
import { checked } from '../../scenario/checked.ts';
import { locating } from '../../scenario/located.ts';
import { cellsOf, readScenario, type ScenarioCell, type ScenarioFile } from '../../scenario/scenario.ts';
import { scenarioSchema } from '../../scenario/scenario-schema.ts';
import { isPathOf } from '../../scenario/schema-keys.ts';
import { type Axis, alternativesOf, axesOf, type Setting } from '../../scenario/settings.ts';
import type { WorldName } from '../../worlds/world-names.ts';
import { type RangeDocument, type SweepDocument, sweepSchema, type Until } from './design-schema.ts';
import { type Dimension, latinHypercube } from './hypercube.ts';
import { type Range, rangeOf } from './range.ts';

/**
 * What a sweep runs: every combination of its axes, repeated. It is pure data, so that it can be passed to a worker.
 * Cells are numbered and made from their number, so that a million of them need no memory.
 */
export interface Design {
  readonly scenario: ScenarioFile;
  /** From the command line; applied first. */
  readonly set: readonly Setting[];
  readonly world: WorldName;
  readonly axes: readonly Axis[];
  /** Which of the axes is the hypercube's, −1 without one. */
  readonly hypercube: number;
  readonly cells: number;
  /** Repetitions of each cell; with `until`, the fewest. */
  readonly runs: number;
  readonly until: Until | null;
  readonly seed: number;
  /** Whose costs virtual time and the model add, if any. */
  readonly machine?: PredictedMachine | undefined;
}

/** One repetition of one cell: cells count from 0, repetitions from 1. */
export interface Run {
  readonly cell: number;
  readonly repetition: number;
}

const RUNS_MAX = 100_000_000;

/**
 * Reads the design of a scenario file: its `compare` and what its `sweep` adds, every combination of all of it.
 * @throws Failure the file cannot be read
 * @throws UsageError all that is wrong with it, in every cell
 */
export function loadDesign(
  file: string,
  set: readonly Setting[],
  world: WorldName,
  machine?: PredictedMachine,
): Design {
  const scenario = readScenario(file, set);
  return locating(file, scenario.text, () => designOf(scenario, set, world, machine));
}

function designOf(
  scenario: ScenarioFile,
  set: readonly Setting[],
  world: WorldName,
  machine: PredictedMachine | undefined,
): Design {
  const sweep = checked(sweepSchema, scenario.sweep ?? {}, 'sweep', ['sweep'], inGrid);
  const problems: Problem[] = [];
  const { runs, seed } = wholeOf(scenario, problems);
  const matrix = [...axesOf('compare', scenario.compare, problems), ...gridOf(sweep, problems)];
  const list = sweep.list?.map((point, index) =>
    Object.entries(point).flatMap(
      ([path, value]) => alternativesOf(`sweep.list.${index}`, path, [value], problems)[0]!,
    ),
  );
  const hypercube = hypercubeOf(sweep, seed, problems);
  const axes = [...matrix, ...(list ? [list] : []), ...(hypercube ? [hypercube] : [])];
  if (problems.length > 0) throw new UsageError(problems);
  const cells = axes.reduce((product, axis) => product * axis.length, 1);
  const design: Design = {
    ...{ scenario, set, world, axes, cells, runs, seed, machine },
    hypercube: hypercube ? axes.length - 1 : -1,
    until: sweep.until ?? null,
  };
  const most = runsMax(design);
  if (cells * most > RUNS_MAX) {
    throw new UsageError([
      { path: 'sweep', expected: `at most ${RUNS_MAX} runs`, found: `${cells} cells × ${most} runs` },
    ]);
  }
  checkCells(design);
  return design;
}

/** Paths of the scenario are varied by a grid. */
function inGrid(key: string): string | undefined {
  return isPathOf(scenarioSchema, key) ? `grid: { ${key}: … }` : undefined;
}

/** The most repetitions that a cell may come to. */
export function runsMax({ runs, until }: Design): number {
  return Math.max(runs, until?.most ?? 0);
}

/** The settings of a cell. The last axis changes fastest. */
export function settingsOf({ axes }: Design, cell: number): readonly Setting[] {
  const settings: Setting[][] = [];
  let rest = cell;
  for (const axis of axes.toReversed()) {
    settings.unshift([...axis[rest % axis.length]!]);
    rest = Math.floor(rest / axis.length);
  }
  return settings.flat();
}

/**
 * Repetition r has the same seed in every cell, so that alternatives are compared under common random numbers. But
 * every point of a hypercube has its own seeds, so that a result over many points does not depend on one draw. No two
 * overlap.
 */
export function seedOf(design: Design, { cell, repetition }: Run): number {
  const { axes, hypercube, seed } = design;
  const point = hypercube < 0 ? 0 : cell % axes[hypercube]!.length;
  return seed + point * runsMax(design) + repetition - 1;
}

/** @throws UsageError it is invalid, or several migrations share its link and would need several records */
export function cellOf(design: Design, index: number): ScenarioCell {
  const [cell, ...others] = cellsOf(design.scenario, settingsOf(design, index));
  if (others.length > 0 || (cell!.share?.changes.length ?? 0) > 0) {
    const path = others.length > 0 ? 'fleet' : 'link.changes';
    throw new UsageError([{ path, expected: 'no such key in a sweep', found: 'some' }]);
  }
  return { ...cell!, machine: design.machine };
}

/** What all cells share. It is read before the rest of the scenario is checked. */
function wholeOf({ base }: ScenarioFile, problems: Problem[]): { runs: number; seed: number } {
  const { runs = 1, seed = 1 } = base;
  const insist = (holds: boolean, path: string, expected: string, found: unknown) => {
    if (!holds) problems.push({ path, expected, found: shown(found) });
  };
  const isWhole = (value: unknown, least: number, most: number) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
  insist(isWhole(runs, 1, 1_000_000), 'runs', 'a whole number from 1 to 1000000', runs);
  // Far enough from the largest whole number that every run can have a seed.
  insist(isWhole(seed, 0, 2 ** 52), 'seed', 'a whole number from 0 to 2^52', seed);
  return { runs: Number(runs), seed: Number(seed) };
}

function gridOf({ grid }: SweepDocument, problems: Problem[]): readonly Axis[] {
  return Object.entries(grid).map(([path, values]) => {
    if (isList(values)) return alternativesOf('sweep.grid', path, values, problems);
    const { steps } = values;
    const range = rangeAt(`sweep.grid.${path}`, values, problems);
    const written = Array.from({ length: range ? steps : 0 }, (_, step) => range!(step / (steps - 1)));
    return alternativesOf('sweep.grid', path, written, problems);
  });
}

function hypercubeOf({ hypercube }: SweepDocument, seed: number, problems: Problem[]): Axis | undefined {
  if (!hypercube) return undefined;
  const within = 'sweep.hypercube.over';
  const dimensions = Object.entries(hypercube.over).map(([path, values]): Dimension => {
    if (isList(values)) {
      const axis = alternativesOf(within, path, values, problems);
      return (u) => axis[Math.floor(u * axis.length)]!;
    }
    const range = rangeAt(`${within}.${path}`, values, problems);
    // A path is checked as if it had a list of one value.
    alternativesOf(within, path, [0], problems);
    return (u) => (range ? [{ path, value: range(u) }] : []);
  });
  return problems.length > 0 ? [] : latinHypercube(hypercube.points, dimensions, seed);
}

function rangeAt(place: string, written: RangeDocument, problems: Problem[]): Range | undefined {
  const range = rangeOf(written);
  if (typeof range !== 'string') return range;
  problems.push({ path: place, expected: range, found: shown(written) });
  return undefined;
}

function isList(values: object): values is readonly unknown[] {
  return Array.isArray(values);
}

const CHECKED_MAX = 20_000;
const SHOWN_MAX = 20;

/**
 * Resolves every cell, before anything runs; of a very large design every alternative of every axis in one cell, and as
 * many cells at random.
 * @throws UsageError all that is wrong with them, each thing once
 */
function checkCells(design: Design): void {
  const problems = new Map<string, Problem>();
  for (const cell of cellsToCheck(design)) {
    if (problems.size >= SHOWN_MAX) break;
    for (const problem of problemsOf(design, cell)) {
      problems.set(JSON.stringify(problem), problem);
    }
  }
  if (problems.size > 0) throw new UsageError([...problems.values()]);
}

/** The numbers of the cells to check. Very long axes are only sampled. */
export function* cellsToCheck({ axes, cells }: Pick<Design, 'axes' | 'cells'>): Generator<number> {
  if (cells <= CHECKED_MAX) {
    for (let cell = 0; cell < cells; cell++) yield cell;
    return;
  }
  let stride = cells;
  for (const { length } of axes) {
    stride /= length;
    for (let index = 0; index < Math.min(length, CHECKED_MAX); index++) yield index * stride;
  }
  const random = Random.seeded(cells);
  for (let drawn = 0; drawn < CHECKED_MAX; drawn++) yield Math.floor(random.uniform() * cells);
}

function problemsOf(design: Design, index: number): readonly Problem[] {
  try {
    const cell = cellOf(design, index);
    if (design.world !== 'virtual' || canBePredicted(cell)) return [];
    const expected = 'a rate, or a sender.cpuPerPage, in virtual time';
    return [{ path: 'link.rate', expected, found: 'unlimited' }];
  } catch (cause) {
    if (cause instanceof UsageError) return cause.problems;
    throw cause;
  }
}
