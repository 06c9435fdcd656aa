import * as Plot from '@observablehq/plot';
import { NANOS_PER_MILLISECOND } from '../../../core/units.ts';
import type { StressFile } from '../../stress/stress-file.ts';
import { metrics } from '../../stress/stress-metrics.ts';
import { colours, draw, type Figure, short } from './draw.ts';

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
        name: short(alternative, 34),
        colour: colours[alternatives.indexOf(alternative) % colours.length]!,
        value: value * unit,
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
  return {
    name: `ramp-${number + 1}`,
    title: text,
    caption: `Level by level, with 95 % intervals (bounds that need more runs are not drawn); dashed: the limit. ${alternatives.map((name, index) => `${colourName(index)}: ${name}`).join('; ')}.`,
    svg: draw({
      ariaLabel: 'A threshold, level by level',
      height: 320,
      marginBottom: 44,
      grid: true,
      x: { label: `${ramp} →`, domain: [...levels], type: 'point', labelAnchor: 'right', padding: 0.3 },
      y: { label: isTime ? '↑ ms' : '↑ %', domain: [0, most] },
      marks: [
        Plot.ruleY([limit * unit], { stroke: 'currentColor', strokeDasharray: '6 4' }),
        Plot.ruleX(points, { ...bar, stroke: 'colour', strokeWidth: 3, strokeOpacity: 0.45 }),
        Plot.line(points, { ...at, z: 'alternative', stroke: 'colour', strokeWidth: 2 }),
        Plot.dot(points, { ...at, fill: 'colour', r: 4 }),
        Plot.text(lasts, { ...at, text: 'name', dy: -14, textAnchor: 'end', fill: 'colour' }),
      ],
    }),
  };
}

function colourName(index: number): string {
  return ['blue', 'orange', 'green', 'pink', 'red', 'violet', 'grey'][index % colours.length]!;
}
