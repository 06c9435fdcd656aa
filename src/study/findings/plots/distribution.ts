import * as Plot from '@observablehq/plot';
import { NANOS_PER_MILLISECOND } from '../../../core/units.ts';
import { figure } from '../../tables/figure.ts';
import type { ReportCell } from '../cells.ts';
import { accent, contrast, draw, evenly, type Figure, marginFor, short } from './draw.ts';
import { scaleOf, ticksOf } from './scale.ts';

const MOST_ROWS = 24;
const MOST_DOTS = 100;

/** Every run's downtime, a row a cell, with the median and its interval. */
export function distribution(cells: readonly ReportCell[]): Figure | undefined {
  const done = cells.filter(({ downtimeMs }) => downtimeMs);
  if (done.length === 0) return undefined;
  const isMany = done.length > MOST_ROWS;
  const sorted = done.toSorted((a, b) => a.downtimeMs!.median - b.downtimeMs!.median);
  const shown = isMany ? evenly(sorted, MOST_ROWS) : done;
  const labels = shown.map((cell) => rowLabel(cell));
  const dots = shown.flatMap((cell) =>
    evenly(cell.completed, MOST_DOTS).map((run) => ({
      row: rowLabel(cell),
      ms: run.downtimeNs / NANOS_PER_MILLISECOND,
      seed: run.seed,
    })),
  );
  const medians = shown.map((cell) => ({ row: rowLabel(cell), ...cell.downtimeMs! }));
  const scale = scaleOf([...dots.map(({ ms }) => ms), ...medians.map(({ high }) => high)]);
  const { at, edge } = scale;
  return {
    name: 'downtime',
    title: 'Downtime of every run',
    caption: `One dot per run; the bar is the median with its 95 % interval.${isMany ? ` ${shown.length} of ${done.length} cells, from the shortest median to the longest.` : ''}`,
    svg: draw({
      ariaLabel: 'Downtime of every run',
      height: 76 + 24 * shown.length,
      marginLeft: marginFor(labels),
      x: {
        label: `downtime, ms${edge === undefined ? '' : ` (at the left edge: at most ${figure(edge)} ms)`} →`,
        type: scale.type,
        domain: [...scale.domain],
        ...ticksOf(scale),
        grid: true,
      },
      y: { label: null, domain: labels, type: 'band', padding: 0.35 },
      marks: [
        Plot.dot(dots, {
          x: ({ ms }) => at(ms),
          y: 'row',
          r: 2.5,
          fill: accent,
          fillOpacity: 0.45,
          title: ({ row, ms, seed }) => `${row}, seed ${seed}: ${figure(ms)} ms`,
        }),
        Plot.ruleY(medians, {
          x1: ({ low }) => at(low),
          x2: ({ high }) => at(high),
          y: 'row',
          stroke: contrast,
          strokeWidth: 3,
        }),
        Plot.tickX(medians, {
          x: ({ median }) => at(median),
          y: 'row',
          stroke: contrast,
          strokeWidth: 3,
          title: ({ row, median, low, high }) =>
            `${row}: median ${figure(median)} ms [${figure(low)}–${figure(high)}]`,
        }),
      ],
    }),
  };
}

export function rowLabel({ number, label }: ReportCell): string {
  return `${short(label)} · ${number}`;
}
