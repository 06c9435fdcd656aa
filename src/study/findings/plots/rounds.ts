import * as Plot from '@observablehq/plot';
import { quantile } from '../../statistics/estimate.ts';
import type { ReportCell } from '../cells.ts';
import { colours, draw, type Figure, marginFor, short } from './draw.ts';

const MOST_LINES = 10;
const MOST_ROUNDS = 60;

/** How many pages were dirty as each round began: does it converge? */
export function roundsFigure(cells: readonly ReportCell[]): Figure | undefined {
  const lines = cells.map((cell) => ({ cell, points: mediansByRound(cell) }));
  const drawn = lines.filter(({ points }) => points.length > 1).slice(0, MOST_LINES);
  if (drawn.length === 0) return undefined;
  const ends = drawn.map(({ cell, points }, index) => ({
    ...points.at(-1)!,
    text: `${short(cell.label, 30)} · ${cell.number}`,
    colour: colours[index % colours.length]!,
  }));
  const at = { x: 'round', y: 'pages' };
  return {
    name: 'rounds',
    title: 'Dirty pages by round',
    caption: `Dirty pages at the start of each live round: medians over the runs, on a logarithmic scale.${drawn.length < lines.length ? ` Drawn: ${drawn.length} of ${lines.length} cells, the first with more than one round.` : ''}`,
    svg: draw({
      ariaLabel: 'Dirty pages by round',
      height: 380,
      marginRight: marginFor(ends.map(({ text }) => text)),
      grid: true,
      x: { label: 'round →', ticks: roundTicks(ends), tickFormat: 'd' },
      y: { label: '↑ dirty pages', type: 'log' },
      marks: [
        ...drawn.map(({ points }, index) =>
          Plot.line(points, { ...at, stroke: ends[index]!.colour, strokeWidth: 2 }),
        ),
        Plot.dot(ends, { ...at, r: 3.5, fill: 'colour' }),
        Plot.text(spaced(ends), { ...at, text: 'text', dx: 8, textAnchor: 'start', fill: 'currentColor' }),
      ],
    }),
  };
}

/** Whole rounds, about ten of them. */
function roundTicks(ends: readonly { readonly round: number }[]): number[] {
  const last = Math.max(...ends.map(({ round }) => round));
  const step = Math.ceil(last / 12);
  return Array.from({ length: Math.floor((last - 1) / step) + 1 }, (_, index) => 1 + index * step);
}

function mediansByRound({ runs }: ReportCell): { round: number; pages: number }[] {
  const longest = Math.max(...runs.map(({ dirtyPages }) => dirtyPages.length));
  return Array.from({ length: Math.min(MOST_ROUNDS, longest) }, (_, index) => {
    const there = runs.flatMap(({ dirtyPages }) => dirtyPages[index] ?? []);
    return { round: index + 1, pages: Math.max(1, quantile(there, 0.5)) };
  });
}

/** Labels that would lie on each other are left out, all but the first. */
function spaced<End extends { round: number; pages: number }>(ends: readonly End[]): readonly End[] {
  const kept: End[] = [];
  for (const end of ends) {
    const isNear = (other: End) =>
      other.round === end.round && Math.abs(Math.log(other.pages / end.pages)) < 0.12;
    if (!kept.some(isNear)) kept.push(end);
  }
  return kept;
}
