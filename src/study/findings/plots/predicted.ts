import * as Plot from '@observablehq/plot';
import { figure, interval } from '../../tables/figure.ts';
import type { ReportCell } from '../cells.ts';
import { accent, apart, draw, evenly, type Figure, WIDTH } from './draw.ts';
import { pixels, scaleOf, ticksOf } from './scale.ts';

const MOST_DOTS = 2_000;
const HEIGHT = 420;

/** What the model predicted against what was measured. */
export function predictedAgainstMeasured(cells: readonly ReportCell[]): Figure | undefined {
  const all = cells.flatMap(({ predictedMs, downtimeMs, number, label }) =>
    predictedMs !== undefined && downtimeMs
      ? [
          {
            predicted: predictedMs,
            ...downtimeMs,
            number: String(number),
            title: `cell ${number}: ${label}\nmodel ${figure(predictedMs)} ms, runs ${interval(downtimeMs)} ms`,
          },
        ]
      : [],
  );
  if (all.length < 2) return undefined;
  const points = evenly(all, MOST_DOTS);
  const scale = scaleOf(points.flatMap(({ predicted, median, high }) => [predicted, median, high]));
  const { type, at, edge } = scale;
  const domain = [...scale.domain];
  const place = {
    x: ({ predicted }: (typeof points)[number]) => at(predicted),
    y: ({ median }: (typeof points)[number]) => at(median),
  };
  const xPx = pixels(scale, [60, WIDTH - 24]);
  const yPx = pixels(scale, [HEIGHT - 40, 20]);
  const numbered = apart(
    points.map((one) => ({ one, x: xPx(at(one.predicted)), y: yPx(at(one.median)) })),
    20,
  ).map(({ one }) => one);
  return {
    name: 'predicted',
    title: 'The model against the runs',
    caption: `One dot per cell: predicted downtime against the median of the runs with its 95 % interval. On the line they agree.${edge === undefined ? '' : ` At the edges: at most ${figure(edge)} ms.`}`,
    svg: draw({
      ariaLabel: 'Predicted downtime against measured downtime',
      height: HEIGHT,
      grid: true,
      x: { label: 'downtime predicted by the model, ms →', type, domain, ...ticksOf(scale) },
      y: { label: '↑ downtime of the runs (median), ms', type, domain, ...ticksOf(scale) },
      marks: [
        Plot.line(
          domain.map((ms) => [ms, ms] as const),
          { stroke: 'currentColor', strokeDasharray: '4 4', strokeOpacity: 0.6 },
        ),
        Plot.ruleX(points, {
          x: place.x,
          y1: ({ low }) => at(low),
          y2: ({ high }) => at(high),
          stroke: accent,
          strokeWidth: 2,
        }),
        Plot.dot(points, { ...place, r: 3.5, fill: accent, title: 'title' }),
        ...(numbered.length <= 30
          ? [Plot.text(numbered, { ...place, text: 'number', dx: 10, dy: 8, fill: 'currentColor' })]
          : []),
      ],
    }),
  };
}
