import * as Plot from '@observablehq/plot';
import { accent, contrast, draw, marginFor, standalone } from '../src/study/findings/plots/draw.ts';
import { summary } from '../src/study/statistics/estimate.ts';
import { interval } from '../src/study/tables/figure.ts';
import type { MoveCosts } from './native-move.ts';

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

/** A row for each writer and method: medians with their 95 % intervals. */
export function comparedTable(moves: readonly ComparedMove[]): string {
  const rows = cellsOf(moves).map(({ writesPerSecond, method, runs }) => {
    const of = (value: (move: ComparedMove) => number) => interval(summary(runs.map(value)));
    const [left, downtime, total] = [
      of(({ pagesLeft }) => pagesLeft),
      of(({ downtimeNs }) => downtimeNs / 1e6),
      of(({ totalNs }) => totalNs / 1e9),
    ];
    return `| ${writesPerSecond} | ${method} | ${runs.length} | ${left} | ${downtime} ms | ${total} s |`;
  });
  const headings =
    '| writes a second | order | moves | pages left | downtime | total |\n|---|---|---|---|---|---|';
  return [headings, ...rows].join('\n');
}

/** Every move's downtime, a row for each method, a panel for each writer. */
export function comparedFigure(moves: readonly ComparedMove[]): string {
  const dots = moves.map(({ downtimeNs, method, writesPerSecond }) => ({
    ...{ method, panel: panelOf(writesPerSecond) },
    ms: downtimeNs / 1e6,
  }));
  const medians = cellsOf(moves).map(({ method, writesPerSecond, runs }) => ({
    ...{ method, panel: panelOf(writesPerSecond) },
    ...summary(runs.map(({ downtimeNs }) => downtimeNs / 1e6)),
  }));
  const panels = [...new Set(dots.map(({ panel }) => panel))];
  const title = 'Downtime of every move of a machine, by order';
  const svg = draw({
    ariaLabel: title,
    height: 60 + panels.length * 150,
    marginLeft: marginFor(methods),
    marginRight: 130,
    x: { label: 'downtime, ms →', zero: true, grid: true },
    y: { label: null, domain: [...methods], type: 'band', padding: 0.3 },
    fy: { label: null, domain: panels, padding: 0.12 },
    marks: [
      Plot.dot(dots, { fy: 'panel', x: 'ms', y: 'method', r: 2.5, fill: accent, fillOpacity: 0.5 }),
      Plot.ruleY(medians, {
        ...{ fy: 'panel', x1: 'low', x2: 'high', y: 'method' },
        ...{ stroke: contrast, strokeWidth: 3 },
      }),
      Plot.tickX(medians, { fy: 'panel', x: 'median', y: 'method', stroke: contrast, strokeWidth: 3 }),
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

function panelOf(writesPerSecond: number): string {
  return `${writesPerSecond} writes/s`;
}
