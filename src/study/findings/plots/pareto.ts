import * as Plot from '@observablehq/plot';
import { figure } from '../../tables/figure.ts';
import type { ReportCell } from '../cells.ts';
import { accent, apart, contrast, draw, evenly, type Figure, short, WIDTH } from './draw.ts';
import { pixels, roomAround, scaleOf, ticksOf } from './scale.ts';

const MOST_DOTS = 2_000;
const HEIGHT = 380;
const [LEFT, RIGHT, TOP, BOTTOM] = [60, WIDTH - 24, 20, HEIGHT - 40];

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

/** Downtime against total, the front drawn through; its ends are named, and every point by a tooltip. */
export function pareto(cells: readonly ReportCell[]): Figure | undefined {
  const done = cells.filter(({ downtimeMs }) => downtimeMs);
  if (done.length < 3) return undefined;
  const front = paretoFront(done);
  const medians = done.map(({ downtimeMs }) => downtimeMs!.median);
  const fromZero = scaleOf(medians);
  // Where points lie matters here, and not how far from 0.
  const scale = fromZero.type === 'log' ? fromZero : { ...fromZero, domain: roomAround(medians) };
  const point = ({ downtimeMs, totalS, number, label }: ReportCell) => ({
    downtime: scale.at(downtimeMs!.median),
    total: totalS!.median,
    number: String(number),
    label: `${short(label, 40)} · ${number}`,
    title: `cell ${number}: ${label}\ndowntime ${figure(downtimeMs!.median)} ms, total ${figure(totalS!.median)} s`,
  });
  const all = evenly(done, MOST_DOTS).map(point);
  const points = front.map(point);
  const at = { x: 'downtime', y: 'total' };
  const y = roomAround(all.map(({ total }) => total));
  const [xPx, yPx] = [pixels(scale, [LEFT, RIGHT]), pixels({ type: 'linear', domain: y }, [BOTTOM, TOP])];
  const placed = points.map((one) => ({ one, x: xPx(one.downtime), y: yPx(one.total) }));
  // The ends have their names; of those between, the ones with room for a number.
  const ends = new Set([placed[0]!, placed.at(-1)!]);
  const numbered = apart([...ends, ...placed], 18).filter((each) => !ends.has(each));
  const drawnNote = done.length > MOST_DOTS ? `; ${MOST_DOTS} of ${done.length} are drawn` : '';
  const onIt = front.length > 20 ? `${front.length} cells` : front.map(({ number }) => number).join(', ');
  return {
    name: 'pareto',
    title: 'Downtime against total time',
    caption: `One dot per cell (medians${drawnNote}). On the line are the cells that no other cell beats in both: ${onIt}.`,
    svg: draw({
      ariaLabel: 'Pareto front of downtime and total time',
      height: HEIGHT,
      grid: true,
      x: { label: 'downtime, ms →', type: scale.type, domain: [...scale.domain], ...ticksOf(scale) },
      y: { label: '↑ total time, s', domain: y },
      marks: [
        Plot.dot(all, { ...at, r: 3.5, fill: accent, fillOpacity: 0.6, title: 'title' }),
        Plot.line(points, { ...at, stroke: contrast, strokeWidth: 2, curve: 'step-after' }),
        Plot.dot(points, { ...at, r: 4.5, fill: contrast, title: 'title' }),
        Plot.text(
          numbered.map(({ one }) => one),
          { ...at, text: 'number', dx: 8, dy: -8, fill: 'currentColor' },
        ),
        ...[...ends].map(({ one, x, y }, end) =>
          Plot.text([one], {
            ...at,
            text: 'label',
            dy: end === 0 && y > TOP + 20 ? -14 : 14,
            textAnchor: x > (LEFT + RIGHT) / 2 ? 'end' : 'start',
            fill: 'currentColor',
            stroke: 'var(--sheet, #ffffff)',
            strokeWidth: 4,
          }),
        ),
      ],
    }),
  };
}
