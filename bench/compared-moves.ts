import * as Plot from '@observablehq/plot';
import { accent, contrast, draw, marginFor, standalone } from '../src/study/findings/plots/draw.ts';
import { scaleOf, ticksOf } from '../src/study/findings/plots/scale.ts';
import { summary } from '../src/study/statistics/estimate.ts';
import { figure, interval } from '../src/study/tables/figure.ts';
import type { MoveCosts } from './native-move.ts';

/** QEMU's stops are many times as long as the others, which would lie on one another on a linear axis. */
const LOGARITHMIC_FROM = 5;

/** Beside the page. */
export const FIGURE_FILE = 'your-vm-orders.svg';

export const methods = [
  'threshold, hot pages held back',
  'coldest first',
  'address',
  'pass',
  'QEMU alone',
] as const;
export type Method = (typeof methods)[number];

/** A line of the file. */
export interface ComparedMove extends MoveCosts {
  readonly writesPerSecond: number;
  readonly method: Method;
}

/** What is not measured yet of so many moves a method, in turns, so that what changes meanwhile meets all methods alike. */
export function missingMoves(
  moves: readonly ComparedMove[],
  writesPerSecond: number,
  runs: number,
): readonly Method[] {
  const done = moves.filter((move) => move.writesPerSecond === writesPerSecond);
  const doneBy = (method: Method) => done.filter((move) => move.method === method).length;
  return Array.from({ length: runs }, (_, run) => methods.filter((method) => doneBy(method) <= run)).flat();
}

/** A row for each writer and method: medians with their 95 % intervals. */
export function comparedTable(moves: readonly ComparedMove[]): string {
  const rows = cellsOf(moves).map(({ writesPerSecond, method, runs }) => {
    const of = (value: (move: ComparedMove) => number) => interval(summary(runs.map(value)));
    const [left, downtime, total] = [
      of(({ pagesLeft }) => pagesLeft),
      of(({ downtimeNs }) => downtimeNs / 1e6),
      of(({ totalNs }) => totalNs / 1e9),
    ];
    return `| ${writesPerSecond} | ${method} | ${runs.length} | ${left} | ${downtime} | ${total} |`;
  });
  const headings =
    '| writes a second | moved by | moves | pages left | downtime, ms | total, s |\n|---|---|---|---|---|---|';
  return [headings, ...rows].join('\n');
}

/** The section of docs/your-vm.md: the table, and the picture below it. */
export function comparedSection(moves: readonly ComparedMove[]): string {
  return `${comparedTable(moves)}\n\n![Downtime of every move, by method and by writes a second](${FIGURE_FILE})`;
}

/** Every move's downtime, a row for each method, a panel for each writer. */
export function comparedFigure(moves: readonly ComparedMove[]): string {
  const dots = moves.map((move) => ({ ...rowOf(move), ms: move.downtimeNs / 1e6 }));
  const medians = cellsOf(moves).map((cell) => ({
    ...rowOf(cell),
    ...summary(cell.runs.map(({ downtimeNs }) => downtimeNs / 1e6)),
  }));
  const panels = [...new Set(dots.map(({ panel }) => panel))];
  const scale = scaleOf([...dots.map(({ ms }) => ms), ...medians.map(({ high }) => high)], LOGARITHMIC_FROM);
  const title = 'Downtime of every move of a machine, by method and by writes a second';
  const svg = draw({
    ariaLabel: title,
    height: 64 + panels.length * 156,
    marginTop: 24,
    marginLeft: marginFor(methods),
    marginRight: 80,
    x: {
      label: `downtime, ms${scale.type === 'log' ? ', logarithmic' : ''} →`,
      type: scale.type,
      domain: [...scale.domain],
      ...ticksOf(scale),
      grid: true,
    },
    y: { label: null, domain: [...methods], type: 'band', padding: 0.35, axis: null },
    fy: { label: null, domain: panels, padding: 0.2, axis: null },
    marks: [
      Plot.axisY({ label: null, tickSize: 0 }),
      Plot.text(panels, {
        ...{ fy: (panel: string) => panel, text: (panel: string) => panel, frameAnchor: 'top-left' },
        ...{
          dx: 4 - marginFor(methods),
          dy: -14,
          textAnchor: 'start',
          fontWeight: 'bold',
          fill: 'currentColor',
        },
      }),
      Plot.dot(dots, { fy: 'panel', x: 'ms', y: 'method', r: 3, fill: accent, fillOpacity: 0.45 }),
      Plot.ruleY(medians, {
        ...{ fy: 'panel', x1: 'low', x2: 'high', y: 'method' },
        ...{ stroke: contrast, strokeWidth: 3 },
      }),
      Plot.tickX(medians, { fy: 'panel', x: 'median', y: 'method', stroke: contrast, strokeWidth: 3 }),
      Plot.text(medians, {
        ...{ fy: 'panel', y: 'method', text: ({ median }) => `${figure(median)} ms`, fill: 'currentColor' },
        ...{ frameAnchor: 'right', textAnchor: 'end', dx: 72 },
      }),
    ],
  });
  return standalone({ name: 'your-vm-orders', title, caption: '', svg });
}

function cellsOf(moves: readonly ComparedMove[]) {
  const speeds = [...new Set(moves.map(({ writesPerSecond }) => writesPerSecond))];
  return speeds.flatMap((writesPerSecond) =>
    methods.flatMap((method) => {
      const runs = moves.filter((move) => move.writesPerSecond === writesPerSecond && move.method === method);
      return runs.length > 0 ? [{ writesPerSecond, method, runs }] : [];
    }),
  );
}

/** Where it is drawn. */
function rowOf({ method, writesPerSecond }: Pick<ComparedMove, 'method' | 'writesPerSecond'>) {
  return { method, panel: `${writesPerSecond} writes a second` };
}
