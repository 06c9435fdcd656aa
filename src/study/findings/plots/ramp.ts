import * as Plot from '@observablehq/plot';
import { NANOS_PER_MILLISECOND } from '../../../core/units.ts';
import type { StressFile } from '../../stress/stress-file.ts';
import { type MetricName, metrics } from '../../stress/stress-metrics.ts';
import { figure } from '../../tables/figure.ts';
import { settingAxis } from '../quantities.ts';
import { colours, draw, type Figure, marginFor } from './draw.ts';
import { endLabels, linesOf } from './end-labels.ts';
import { pixels } from './scale.ts';

/** What an axis calls them. */
const names: Readonly<Record<MetricName, string>> = {
  downtime: 'downtime',
  total: 'total time',
  outage: 'longest gap that a client saw',
  blackout: 'longest wait of a reservation',
  missedPeriods: 'missed periods',
  lateFrames: 'late frames',
  lostFrames: 'lost frames',
  failures: 'migrations that did not complete',
};

const HEIGHT = 320;
const [TOP, BOTTOM] = [24, HEIGHT - 44];

/** One figure a threshold: its value level by level, the interval, and the limit. */
export function ramps(stress: StressFile): readonly Figure[] {
  return stress.thresholds.flatMap((threshold, number) => rampFigure(stress, threshold, number) ?? []);
}

function rampFigure(
  { ramp, levels, results }: StressFile,
  { text, metric, limit }: StressFile['thresholds'][number],
  number: number,
): Figure | undefined {
  const isTime = metrics[metric].kind === 'time';
  const unit = isTime ? 1 / NANOS_PER_MILLISECOND : 100;
  const alternatives = [...new Set(results.map(({ alternative }) => alternative))];
  const points = results.flatMap(({ level, alternative, judgements }) => {
    const judged = judgements.find(({ threshold }) => threshold === text);
    if (!judged || !Number.isFinite(judged.estimate.value)) return [];
    const { value, low, high } = judged.estimate;
    return [
      {
        level: levels[level] ?? '',
        alternative,
        lines: linesOf(alternative),
        colour: colours[alternatives.indexOf(alternative) % colours.length]!,
        value: value * unit,
        title: `${alternative}, ${levels[level]}: ${figure(value * unit)} ${isTime ? 'ms' : '%'}`,
        low: (Number.isFinite(low) ? low : value) * unit,
        high: (Number.isFinite(high) ? high : value) * unit,
      },
    ];
  });
  if (points.length === 0) return undefined;
  const lasts = alternatives.flatMap(
    (name) => points.findLast(({ alternative }) => alternative === name) ?? [],
  );
  const most = Math.max(limit * unit, ...points.map(({ high }) => high)) * 1.15;
  const at = { x: 'level', y: 'value' };
  const bar = { x: 'level', y1: 'low', y2: 'high' };
  const axis = settingAxis(ramp, levels);
  const marginRight = 20 + marginFor(lasts.flatMap(({ lines }) => lines));
  const yPx = pixels({ type: 'linear', domain: [0, most] }, [BOTTOM, TOP]);
  const ends = lasts.map(({ level, value, lines, colour }) => {
    return { at: { x: level, y: value }, yPx: yPx(value), lines, colour };
  });
  const [, statistic] = /\b(median|p95|max)\b/.exec(text) ?? [];
  return {
    name: `ramp-${number + 1}`,
    title: text,
    caption: `Level by level, with 95 % intervals (bounds that need more runs are not drawn).`,
    svg: draw({
      ariaLabel: 'A threshold, level by level',
      height: HEIGHT,
      marginTop: TOP,
      marginBottom: HEIGHT - BOTTOM,
      marginRight,
      grid: true,
      x: {
        label: `${axis.label} →`,
        domain: [...levels],
        type: 'point',
        tickFormat: axis.shown,
        labelAnchor: 'right',
        padding: 0.3,
      },
      y: {
        label: `↑ ${names[metric]}${statistic === undefined ? '' : ` (${statistic})`}, ${isTime ? 'ms' : '%'}`,
        domain: [0, most],
      },
      marks: [
        Plot.ruleY([limit * unit], { stroke: 'currentColor', strokeDasharray: '6 4' }),
        Plot.text([{ level: levels[0]!, value: limit * unit }], {
          ...at,
          text: () => `limit ${Number((limit * unit).toPrecision(4))} ${isTime ? 'ms' : '%'}`,
          dx: -20,
          dy: -8,
          textAnchor: 'start',
          fill: 'currentColor',
        }),
        Plot.ruleX(points, { ...bar, stroke: 'colour', strokeWidth: 3, strokeOpacity: 0.45 }),
        Plot.line(points, { ...at, z: 'alternative', stroke: 'colour', strokeWidth: 2 }),
        Plot.dot(points, { ...at, fill: 'colour', r: 4, title: 'title' }),
        ...endLabels(ends, levels.at(-1)!, BOTTOM),
      ],
    }),
  };
}
