import { NANOS_PER_MILLISECOND, parseDuration, parseRate, parseSize } from '../../core/units.ts';
import { areAlike, quantile, summaryOf } from '../statistics/estimate.ts';
import { grouped } from '../statistics/grouped.ts';
import { shortened } from '../tables/cell-columns.ts';
import type { RecordedRun } from './recorded-run.ts';

/** All runs of one set of settings in one world. */
export type ReportCell = ReturnType<typeof cellsOfRuns>['cells'][number];

/** Cells differ in their world and in the settings that are not the same everywhere. */
export function cellsOfRuns(recorded: readonly RecordedRun[]) {
  const allPaths = [...new Set(recorded.flatMap(({ settings }) => [...settings.keys()]))];
  /** The settings by which cells differ. */
  const paths = allPaths.filter(
    (path) => new Set(recorded.map(({ settings }) => settings.get(path))).size > 1,
  );
  const shortPaths = namesOf(paths);
  /** Of these, the few that distinguish all cells. */
  const telling = tellingPaths(paths, recorded);
  const worlds = new Set(recorded.map(({ world }) => world));
  const groups = grouped(recorded, ({ world, settings }) =>
    JSON.stringify([world, ...paths.map((path) => settings.get(path) ?? '')]),
  );
  const cells = [...groups.values()].map((runs, index) => {
    const { world, settings, axes, scenario } = runs[0]!;
    const values = paths.map((path) => written(path, settings.get(path)));
    const words = values.flatMap((value, at) =>
      telling.has(paths[at]!) && !SILENT.includes(value) ? [`${shortPaths[at]} ${value}`] : [],
    );
    if (worlds.size > 1) words.unshift(world);
    const completed = runs.filter((run) => run.completed);
    const alike = areAlike(
      completed.map(downtimeMsOf),
      completed.map(({ totalNs }) => totalNs),
    );
    const of = (value: (run: RecordedRun) => number) =>
      completed.length === 0 ? undefined : summaryOf(completed.map(value), alike);
    const predicted = runs.flatMap((run) => run.predicted?.downtimeNs ?? []);
    return {
      /** From 1, in the order of the runs. */
      number: index + 1,
      world,
      /** In the order of the paths by which cells differ; empty where a cell has no such setting. */
      values,
      /** The settings that can be an axis of a plot. */
      axes: new Map([...axes].map(([path, value]) => [path, written(path, value)])),
      /** A few words that distinguish it. */
      label: words.join(', ') || scenario,
      runs,
      completed,
      /** The completed runs do not differ, whatever their seed: they are one run. */
      alike,
      /** In ms and s; undefined: no run has completed. */
      downtimeMs: of(downtimeMsOf),
      downtimeP95Ms: completed.length < 10 || alike ? undefined : quantile(completed.map(downtimeMsOf), 0.95),
      totalS: of((run) => run.totalNs / 1e9),
      /** Carries out all runs of it again. */
      command: commandOf(runs),
      predictedMs: predicted.length === 0 ? undefined : quantile(predicted, 0.5) / NANOS_PER_MILLISECOND,
    };
  });
  /** The settings that all cells have in common. */
  const common = allPaths
    .filter((path) => !paths.includes(path))
    .map((path) => `${path}: ${written(path, recorded[0]!.settings.get(path))}`);
  return { paths, cells, common, telling };
}

/** The command of one run, for all runs of its cell: their seeds count up. */
function commandOf(runs: readonly RecordedRun[]): string | undefined {
  const [, command] = /^(.*) --seed \d+$/.exec(runs.find((run) => run.command)?.command ?? '') ?? [];
  if (command === undefined) return undefined;
  const first = runs.reduce((least, { seed }) => Math.min(least, seed), Number.POSITIVE_INFINITY);
  return `${command.replace(/ --runs 1(?= |$)/, '')} --runs ${runs.length} --seed ${first}`;
}

function downtimeMsOf({ downtimeNs }: RecordedRun): number {
  return downtimeNs / NANOS_PER_MILLISECOND;
}

/** Values that a label leaves out. */
const SILENT = ['', 'none', 'null'];
const MOST_WORDS = 3;

/**
 * Of many paths, the few that distinguish all cells: those with the most values first. Of few paths all, but for one that
 * follows from the others, such as a time-out from rates.
 */
function tellingPaths(paths: readonly string[], recorded: readonly RecordedRun[]): ReadonlySet<string> {
  const said = (value = '') => (SILENT.includes(value) ? '' : value);
  const distinct = (chosen: readonly string[]) =>
    new Set(recorded.map(({ settings }) => JSON.stringify(chosen.map((path) => said(settings.get(path))))))
      .size;
  if (paths.length <= MOST_WORDS) {
    const follows = (path: string) => {
      const others = paths.filter((other) => other !== path);
      const hasFewest = others.every((other) => distinct([other]) > distinct([path]));
      return others.length > 1 && hasFewest && distinct(others) === distinct(paths);
    };
    return new Set(paths.filter((path) => !follows(path)));
  }
  const chosen: string[] = [];
  for (const path of paths.toSorted((a, b) => distinct([b]) - distinct([a]))) {
    if (distinct([...chosen, path]) > distinct(chosen)) chosen.push(path);
  }
  return new Set(chosen);
}

/** Paths as a reader sees them: short, and without the units, which the values have. */
export function namesOf(paths: readonly string[]): readonly string[] {
  return shortened(paths.map((path) => path.replace(/(Ns|BytesPerSecond)$/, '')));
}

/** A record's own fields count in ns and bytes a second; a reader does not. */
function written(path: string, value: string | undefined): string {
  if (value === undefined) return '';
  const number = Number(value);
  if (value === '' || !Number.isFinite(number)) return value;
  if (path.endsWith('Ns')) return `${Number((number / NANOS_PER_MILLISECOND).toPrecision(6))}ms`;
  if (path.endsWith('BytesPerSecond')) return `${(number * 8) / 1e6}Mbit/s`;
  return value;
}

/** What a value counts, for an axis: `4ms`, `50Mbit/s`, `3`, `64KiB`. `undefined`: it is a name. */
export function magnitude(value: string): number | undefined {
  if (value.trim() === '') return undefined;
  const number = Number(value);
  if (Number.isFinite(number)) return number;
  return parseDuration(value) ?? parseRate(value) ?? parseSize(value);
}
