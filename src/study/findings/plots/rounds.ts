import * as Plot from '@observablehq/plot';
import { quantile } from '../../statistics/estimate.ts';
import type { ReportCell } from '../cells.ts';
import { colours, draw, evenly, type Figure, marginFor } from './draw.ts';
import { endLabels, LINE_PX, linesOf } from './end-labels.ts';
import { pixels, scaleOf, ticksOf } from './scale.ts';

const MOST_LINES = 10;
const MOST_ROUNDS = 60;
const LEAST_HEIGHT = 380;
/** Rounds that converge shrink by a factor, which is a straight line on a logarithmic axis. */
const LEAST_SPAN = 3;
const [TOP, FOOT] = [20, 40];

/** How many pages were dirty as each round began: does it converge? */
export function roundsFigure(cells: readonly ReportCell[]): Figure | undefined {
  const lines = cells.map((cell) => ({ cell, points: mediansByRound(cell) }));
  const several = lines.filter(({ points }) => points.length > 1);
  const drawn = evenly(several, MOST_LINES);
  if (drawn.length === 0) return undefined;
  const ends = drawn.map(({ cell, points }, index) => ({
    ...points.at(-1)!,
    lines: linesOf(`${cell.label} · ${cell.number}`),
    colour: colours[index % colours.length]!,
  }));
  const scale = scaleOf(
    drawn.flatMap(({ points }) => points.map(({ pages }) => pages)),
    LEAST_SPAN,
  );
  const last = Math.max(...ends.map(({ round }) => round));
  const marginRight = 20 + marginFor(ends.flatMap(({ lines }) => lines));
  const labelsPx = LINE_PX * ends.reduce((sum, { lines }) => sum + lines.length, 0);
  const height = Math.max(LEAST_HEIGHT, labelsPx + 2 * FOOT);
  const yPx = pixels(scale, [height - FOOT, TOP]);
  const labels = ends.map(({ round, pages, ...label }) => {
    const y = scale.at(pages);
    return { at: { x: round, y }, yPx: yPx(y), ...label };
  });
  const at = { x: 'round', y: ({ pages }: { readonly pages: number }) => scale.at(pages) };
  return {
    name: 'rounds',
    title: 'Dirty pages by round',
    caption: `Dirty pages at the start of each live round: medians over the runs${scale.type === 'log' ? ', on a logarithmic scale' : ''}.${drawn.length < lines.length ? ` Drawn: ${drawn.length} of the ${several.length} cells with more than one round.` : ''}`,
    svg: draw({
      ariaLabel: 'Dirty pages by round',
      height,
      marginRight,
      grid: true,
      x: { label: 'live round →', domain: [1, last], ticks: roundTicks(last), tickFormat: 'd' },
      y: { label: '↑ dirty pages', type: scale.type, domain: [...scale.domain], ...ticksOf(scale) },
      marks: [
        ...drawn.map(({ points }, index) =>
          Plot.line(points, { ...at, stroke: ends[index]!.colour, strokeWidth: 2 }),
        ),
        Plot.dot(ends, { ...at, r: 3.5, fill: 'colour' }),
        ...endLabels(labels, last, height - FOOT),
      ],
    }),
  };
}

/** Whole rounds, about ten of them. */
function roundTicks(last: number): number[] {
  const step = Math.ceil(last / 12);
  return Array.from({ length: Math.floor((last - 1) / step) + 1 }, (_, index) => 1 + index * step);
}

function mediansByRound({ runs }: ReportCell): { round: number; pages: number }[] {
  const longest = Math.max(...runs.map(({ dirtyPages }) => dirtyPages.length));
  return Array.from({ length: Math.min(MOST_ROUNDS, longest) }, (_, index) => {
    const there = runs.flatMap(({ dirtyPages }) => dirtyPages[index] ?? []);
    return { round: index + 1, pages: quantile(there, 0.5) };
  });
}
