import { parse } from 'yaml';
import { z } from 'zod';
import { sumOf } from '../statistics/sum.ts';
import { stressFile } from '../stress/stress-file.ts';
import { doneOf, figure, interval, milliseconds } from '../tables/figure.ts';
import { namesOf, type ReportCell } from './cells.ts';
import type { Collection } from './collection.ts';
import { conclusions } from './conclusions.ts';
import { timelineOf } from './migration-timeline.ts';
import { distribution } from './plots/distribution.ts';
import { pareto } from './plots/pareto.ts';
import { predictedAgainstMeasured } from './plots/predicted.ts';
import { ramps } from './plots/ramp.ts';
import { roundsFigure } from './plots/rounds.ts';
import { surface } from './plots/surface.ts';
import { timelineFigure } from './plots/timeline-figure.ts';
import type { RecordedEnvironment } from './recorded-run.ts';

const MOST_ROWS = 200;
/** With more, the table would hide what was measured behind them. */
const MOST_SETTINGS = 5;

/** The files that sweep and stress leave beside their records. */
const designSchema = z.looseObject({ name: z.string(), text: z.string(), command: z.string() });
const machineSchema = z.array(z.looseObject({ what: z.string(), found: z.string() }));

/** What a report says, before it is a page, Markdown or CSV. */
export type Report = ReturnType<typeof reportOf>;

/** @param here what is known of this machine, in case the records do not name theirs */
export function reportOf(collection: Collection, here: readonly { what: string; found: string }[] = []) {
  const { cells, paths, scenarios, telling } = collection;
  const shown = paths.flatMap((path, at) => (paths.length <= MOST_SETTINGS || telling.has(path) ? [at] : []));
  const names = namesOf(paths);
  const design = designSchema.safeParse(collection.design).data;
  const stress = stressFile(collection.stress);
  const timeline = timelineOf(cells, collection.traces);
  const drawn = [
    ...(stress ? ramps(stress) : []),
    distribution(cells),
    pareto(cells),
    surface(cells),
    predictedAgainstMeasured(cells),
    roundsFigure(cells),
    timeline && timelineFigure(timeline),
  ];
  return {
    title: design?.name ?? scenarios.join(', '),
    question: describeOf(design?.text) ?? '',
    /** The scenario's text; without it, what the records have in common. */
    setUp: design?.text ?? collection.common.join('\n'),
    machine: [
      ...collection.environments.map(madeBy),
      ...(machineSchema.safeParse(collection.machine).data ?? here),
    ],
    /** The records do not name their machine, and this is the one on which the report was made. */
    machineIsWhereReported: collection.machine === undefined && collection.environments.length === 0,
    worlds: [...new Set(cells.map(({ world }) => world))],
    records: collection.records,
    command: design?.command,
    /** What carries out a cell again, of cells whose records say so. */
    commands: cells
      .slice(0, MOST_ROWS)
      .flatMap(({ number, command }) => (command === undefined ? [] : [{ cell: number, command }])),
    headings: ['cell', 'world', ...shown.map((at) => names[at]!), ...columns.map(([heading]) => heading)],
    rows: cells
      .slice(0, MOST_ROWS)
      .map((cell) => [
        String(cell.number),
        cell.world,
        ...shown.map((at) => cell.values[at]!),
        ...columns.map(([, of]) => of(cell)),
      ]),
    /** Settings in which cells differ and that are only in the CSV file, because the others distinguish them. */
    settingsLeftOut: paths.length - shown.length,
    /** Rows that are only in the CSV file. */
    rowsLeftOut: Math.max(0, cells.length - MOST_ROWS),
    figures: drawn.filter((each) => each !== undefined),
    charts: collection.charts,
    conclusions: conclusions(collection),
  };
}

/** Says what the table leaves to the CSV file. */
export function leftOutNotes({ rowsLeftOut, settingsLeftOut }: Report): readonly string[] {
  return [
    ...(rowsLeftOut > 0 ? [`${rowsLeftOut} more cells are in report.csv.`] : []),
    ...(settingsLeftOut > 0
      ? [`${settingsLeftOut} more settings, which follow from those shown, are in report.csv.`]
      : []),
  ];
}

function madeBy({ version, node, kernel, processor }: RecordedEnvironment) {
  return {
    what: 'records made by',
    found: `switchover ${version}, Node.js ${node}, ${kernel}, ${processor}`,
  };
}

/** What the table says of every cell, beside its settings. */
const columns: readonly (readonly [string, (cell: ReportCell) => string])[] = [
  ['runs', ({ completed, runs, alike }) => doneOf(completed.length, runs.length, alike)],
  ['downtime ms', ({ downtimeMs }) => interval(downtimeMs)],
  ['p95 ms', ({ downtimeP95Ms }) => figure(downtimeP95Ms ?? Number.NaN)],
  ['model ms', ({ predictedMs }) => figure(predictedMs ?? Number.NaN)],
  ['total s', ({ totalS }) => interval(totalS)],
  ['gap ms', longestGapMs],
  ['late %', share('lateHeartbeats', 'heartbeats')],
  ['missed %', share('missedPeriods', 'periods')],
];

function longestGapMs({ completed }: ReportCell): string {
  const gaps = completed.flatMap(({ gapNs }) => gapNs ?? []);
  return gaps.length === 0 ? '–' : milliseconds(gaps.reduce((most, gap) => Math.max(most, gap)));
}

/** Over all runs of a cell: 0 / 0 is shown as none. */
function share(part: 'lateHeartbeats' | 'missedPeriods', whole: 'heartbeats' | 'periods') {
  return ({ runs }: ReportCell) => figure((100 * sumOf(runs, part)) / sumOf(runs, whole));
}

/** The scenario's own `describe`, from its text. */
function describeOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined;
  try {
    const document: unknown = parse(text);
    const describe = (document as { describe?: unknown } | null)?.describe;
    return typeof describe === 'string' ? describe.trim() : undefined;
  } catch {
    return undefined;
  }
}
