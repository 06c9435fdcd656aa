import { parse } from 'yaml';
import { z } from 'zod';
import { sumOf } from '../statistics/sum.ts';
import { doneOf, figure, interval } from '../tables/figure.ts';
import { namesOf, type ReportCell } from './cells.ts';
import type { Collection } from './collection.ts';
import { type Conclusions, conclusions } from './conclusions.ts';
import { distribution } from './plots/distribution.ts';
import type { Figure } from './plots/draw.ts';
import { pareto } from './plots/pareto.ts';
import { predictedAgainstMeasured } from './plots/predicted.ts';
import { ramps } from './plots/ramp.ts';
import { roundsFigure } from './plots/rounds.ts';
import { surface } from './plots/surface.ts';
import type { RecordedRun } from './recorded-run.ts';
import { stressFile } from './stress-file.ts';

/** What a report says, before it is a page, Markdown or CSV. */
export interface Report {
  readonly title: string;
  readonly question: string;
  /** The scenario's text; without it, what the records have in common. */
  readonly setUp: string;
  readonly machine: readonly { readonly what: string; readonly found: string }[];
  /** The runs have not kept theirs, and it is the one on which the report was made. */
  readonly machineIsWhereReported: boolean;
  readonly worlds: readonly string[];
  readonly records: number;
  readonly command: string | undefined;
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Rows that are only in the CSV file. */
  readonly rowsLeftOut: number;
  readonly figures: readonly Figure[];
  readonly charts: Collection['charts'];
  readonly conclusions: Conclusions;
}

const MOST_ROWS = 200;

/** What sweep and stress leave of themselves. */
const designSchema = z.looseObject({ name: z.string(), text: z.string(), command: z.string() });
const machineSchema = z.array(z.looseObject({ what: z.string(), found: z.string() }));

/** @param here what is known of this machine, for runs that have not kept what they knew of theirs */
export function reportOf(collection: Collection, here: Report['machine'] = []): Report {
  const { cells, paths, scenarios } = collection;
  const design = designSchema.safeParse(collection.design).data;
  const stress = stressFile(collection.stress);
  const drawn = [
    ...(stress ? ramps(stress) : []),
    distribution(cells),
    pareto(cells),
    surface(cells),
    predictedAgainstMeasured(cells),
    roundsFigure(cells),
  ];
  const names = namesOf(paths);
  return {
    title: design?.name ?? scenarios.join(', '),
    question: describeOf(design?.text) ?? '',
    setUp: design?.text ?? collection.common.join('\n'),
    machine: machineSchema.safeParse(collection.machine).data ?? here,
    machineIsWhereReported: collection.machine === undefined,
    worlds: [...new Set(cells.map(({ world }) => world))],
    records: collection.records,
    command: design?.command,
    headings: ['cell', 'world', ...names, ...FIGURES],
    rows: cells.slice(0, MOST_ROWS).map(row),
    rowsLeftOut: Math.max(0, cells.length - MOST_ROWS),
    figures: drawn.filter((each) => each !== undefined),
    charts: collection.charts,
    conclusions: conclusions(collection),
  };
}

const FIGURES = ['runs', 'downtime ms', 'p95 ms', 'model ms', 'total s', 'gap ms', 'late %', 'missed %'];

function row({ number, world, values, runs, completed, ...cell }: ReportCell): readonly string[] {
  const { downtimeMs, downtimeP95Ms, predictedMs, totalS } = cell;
  const sum = (of: (run: RecordedRun) => number) => sumOf(runs, of);
  const share = (part: number, whole: number) => (whole === 0 ? '–' : figure((100 * part) / whole));
  const gaps = completed.flatMap(({ gapNs }) => gapNs ?? []);
  return [
    String(number),
    world,
    ...values,
    doneOf(completed.length, runs.length),
    interval(downtimeMs),
    downtimeP95Ms === undefined ? '–' : figure(downtimeP95Ms),
    predictedMs === undefined ? '–' : figure(predictedMs),
    interval(totalS),
    gaps.length === 0 ? '–' : figure(gaps.reduce((most, gap) => Math.max(most, gap)) / 1e6),
    share(
      sum(({ lateHeartbeats }) => lateHeartbeats),
      sum(({ heartbeats }) => heartbeats),
    ),
    share(
      sum(({ missedPeriods }) => missedPeriods),
      sum(({ periods }) => periods),
    ),
  ];
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
