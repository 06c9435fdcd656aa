import * as Plot from '@observablehq/plot';
import type { ReportCell } from '../cells.ts';
import { accent, draw, evenly, type Figure } from './draw.ts';

const MOST_DOTS = 2_000;

/** What the model predicted against what was measured. */
export function predictedAgainstMeasured(cells: readonly ReportCell[]): Figure | undefined {
  const all = cells.flatMap(({ predictedMs, downtimeMs, number }) =>
    predictedMs !== undefined && downtimeMs
      ? [{ predicted: predictedMs, ...downtimeMs, number: String(number) }]
      : [],
  );
  if (all.length < 2) return undefined;
  const points = evenly(all, MOST_DOTS);
  const numbers = { x: 'predicted', y: 'median', text: 'number', dx: 9, dy: -7, fill: 'currentColor' };
  const most = 1.05 * Math.max(...points.flatMap(({ predicted, high }) => [predicted, high]));
  const diagonal = [0, most].map((ms) => [ms, ms]);
  return {
    name: 'predicted',
    title: 'The model against the runs',
    caption:
      'One dot per cell: predicted downtime against the median of the runs with its 95 % interval. On the line they agree.',
    svg: draw({
      ariaLabel: 'Predicted downtime against measured downtime',
      height: 420,
      grid: true,
      x: { label: 'predicted by the model, ms →', domain: [0, most] },
      y: { label: '↑ median of the runs, ms', domain: [0, most] },
      marks: [
        Plot.line(diagonal, { stroke: 'currentColor', strokeDasharray: '4 4', strokeOpacity: 0.6 }),
        Plot.ruleX(points, { x: 'predicted', y1: 'low', y2: 'high', stroke: accent, strokeWidth: 2 }),
        Plot.dot(points, { x: 'predicted', y: 'median', r: 3.5, fill: accent }),
        ...(points.length <= 12 ? [Plot.text(points, numbers)] : []),
      ],
    }),
  };
}
