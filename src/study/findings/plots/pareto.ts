import * as Plot from '@observablehq/plot';
import type { ReportCell } from '../cells.ts';
import { accent, contrast, draw, evenly, type Figure } from './draw.ts';

const MOST_DOTS = 2_000;

/** Cells of which no other one is better in downtime and in total. */
export function paretoFront(cells: readonly ReportCell[]): readonly ReportCell[] {
  const done = cells.filter(({ downtimeMs }) => downtimeMs);
  const sorted = done.toSorted(
    (a, b) => a.downtimeMs!.median - b.downtimeMs!.median || a.totalS!.median - b.totalS!.median,
  );
  let least = Number.POSITIVE_INFINITY;
  return sorted.filter(({ totalS }) => {
    if (totalS!.median >= least) return false;
    least = totalS!.median;
    return true;
  });
}

/** Downtime against total, the front drawn through. */
export function pareto(cells: readonly ReportCell[]): Figure | undefined {
  const done = cells.filter(({ downtimeMs }) => downtimeMs);
  if (done.length < 3) return undefined;
  const front = paretoFront(done);
  const point = (cell: ReportCell) => ({
    downtime: cell.downtimeMs!.median,
    total: cell.totalS!.median,
    number: String(cell.number),
  });
  const points = front.map(point);
  const at = { x: 'downtime', y: 'total' };
  return {
    name: 'pareto',
    title: 'Downtime against total time',
    caption: `One dot per cell (medians${done.length > MOST_DOTS ? `; ${MOST_DOTS} of ${done.length} are drawn` : ''}). On the line are the cells that no other cell beats in both: ${front.length > 20 ? `${front.length} cells` : front.map(({ number }) => number).join(', ')}.`,
    svg: draw({
      ariaLabel: 'Pareto front of downtime and total time',
      height: 380,
      grid: true,
      x: { label: 'downtime, ms →', nice: true },
      y: { label: '↑ total, s', nice: true },
      marks: [
        Plot.dot(evenly(done, MOST_DOTS).map(point), { ...at, r: 3.5, fill: accent, fillOpacity: 0.6 }),
        Plot.line(points, { ...at, stroke: contrast, strokeWidth: 2, curve: 'step-after' }),
        Plot.dot(points, { ...at, r: 4.5, fill: contrast }),
        Plot.text(points, { ...at, text: 'number', dx: 8, dy: -8, fill: 'currentColor' }),
      ],
    }),
  };
}
