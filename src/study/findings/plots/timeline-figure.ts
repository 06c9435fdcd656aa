import * as Plot from '@observablehq/plot';
import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND } from '../../../core/units.ts';
import { figure } from '../../tables/figure.ts';
import { barsOf } from '../../tables/gantt.ts';
import type { MigrationTimeline } from '../migration-timeline.ts';
import { accent, colours, contrast, draw, type Figure, marginFor, stacked, WIDTH } from './draw.ts';

const RIGHT = 24;
const PANEL_HEIGHT = 150;
const ROW_HEIGHT = 22;

/** One migration from its first round to where its guest runs again: pages left, rate, and who ran. */
export function timelineFigure(timeline: MigrationTimeline): Figure {
  const { cell, run, phases, stoppedAtNs, slices } = timeline;
  const isLong = run.totalNs >= 3 * NANOS_PER_SECOND;
  const unit = isLong ? NANOS_PER_SECOND : NANOS_PER_MILLISECOND;
  const unitName = isLong ? 's' : 'ms';
  const names = [...new Set(slices?.map(({ name }) => name))];
  const marginLeft = Math.max(70, names.length === 0 ? 0 : marginFor(names));
  const domain = [0, run.totalNs / unit];
  const spans = phases.map(({ fromNs, toNs, ...phase }) => {
    const rate = (phase.bytesPerSecond * 8) / 1e6;
    return { ...phase, from: fromNs / unit, to: toNs / unit, rate };
  });
  const stop = [{ from: stoppedAtNs / unit, to: run.totalNs / unit }];
  const paused = Plot.rectX(stop, { x1: 'from', x2: 'to', fill: contrast, fillOpacity: 0.18 });
  const x = (label: string | null) => ({ domain, label, grid: true });
  const shared = { marginLeft, marginRight: RIGHT, marginTop: 26 };
  // Numbers of rounds that have room for them.
  const pixelsPerUnit = (WIDTH - marginLeft - RIGHT) / domain[1]!;
  const numbered = spans.flatMap(({ from, to, name }) => {
    const [room, middle] = [(to - from) * pixelsPerUnit, (from + to) / 2];
    const text = name !== 'stop' && room > 70 ? `round ${name}` : name;
    return room > 8 + 7 * text.length ? [{ middle, text }] : [];
  });
  const left = [...spans.map(({ from, pages }) => ({ at: from, pages })), { at: domain[1]!, pages: 0 }];
  const rates = spans.flatMap(({ from, to, rate }) => [
    { at: from, rate },
    { at: to, rate },
  ]);
  const panels = [
    draw({
      ariaLabel: 'Pages left',
      height: PANEL_HEIGHT,
      ...shared,
      marginBottom: 8,
      x: { ...x(null), axis: null },
      y: { label: '↑ dirty pages at the start of a round', grid: true, nice: true, ticks: 4 },
      marks: [
        paused,
        Plot.line(left, { x: 'at', y: 'pages', stroke: accent, strokeWidth: 2 }),
        Plot.dot(spans, {
          x: 'from',
          y: 'pages',
          r: 3,
          fill: accent,
          title: ({ name, pages }) => `${name === 'stop' ? 'stop' : `round ${name}`}: ${pages} pages`,
        }),
        Plot.text(numbered, {
          x: 'middle',
          text: 'text',
          frameAnchor: 'top',
          dy: -10,
          fill: 'currentColor',
        }),
      ],
    }),
    draw({
      ariaLabel: 'Rate',
      height: PANEL_HEIGHT + (names.length > 0 ? 0 : 32),
      ...shared,
      marginBottom: names.length > 0 ? 8 : 40,
      x: names.length > 0 ? { ...x(null), axis: null } : x(`since the first round began, ${unitName} →`),
      y: { label: '↑ rate of sending, Mbit/s', grid: true, nice: true, zero: true, ticks: 4 },
      marks: [paused, Plot.line(rates, { x: 'at', y: 'rate', stroke: colours[2]!, strokeWidth: 2 })],
    }),
  ];
  if (slices && names.length > 0) {
    const bars = names.flatMap((name, index) => {
      const own = slices
        .filter((slice) => slice.name === name && slice.end > 0 && slice.start < run.totalNs)
        .sort((one, other) => one.start - other.start);
      return barsOf(own, unit / pixelsPerUnit).map(({ start, end, used }) => ({
        name,
        from: Math.max(0, start / unit),
        to: Math.min(domain[1]!, end / unit),
        opacity: Math.max(0.12, Math.min(1, used / (end - start))),
        colour: colours[index % colours.length]!,
      }));
    });
    panels.push(
      draw({
        ariaLabel: 'Who ran',
        height: 66 + ROW_HEIGHT * names.length,
        ...shared,
        x: x(`since the first round began, ${unitName} →`),
        y: { label: null, domain: names, type: 'band', padding: 0.3 },
        marks: [
          paused,
          Plot.barX(bars, { x1: 'from', x2: 'to', y: 'name', fill: 'colour', fillOpacity: 'opacity' }),
        ],
      }),
    );
  }
  return {
    name: 'timeline',
    title: 'One migration',
    caption: captionOf(timeline),
    svg: stacked(panels, `One migration of cell ${cell.number}`),
  };
}

function captionOf({ cell, run, slices }: MigrationTimeline): string {
  const parts = Object.entries(run.parts)
    .filter(([, ns]) => ns > 0)
    .map(([part, ns]) => `${wordsOf(part)} ${figure(ns / NANOS_PER_MILLISECOND)} ms`);
  const which = slices
    ? 'the one of which there is a trace'
    : 'the median of the cell with the shortest downtime';
  const threads = slices
    ? ' A bar is the paler the less of its time the thread ran.'
    : ' Which thread ran when is drawn where a trace (run --perfetto FILE.perfetto.json) lies beside the records.';
  return `Cell ${cell.number} (${cell.label}), seed ${run.seed}: ${which}. Above, the numbers of the rounds; shaded, the stop: ${figure(run.downtimeNs / NANOS_PER_MILLISECOND)} ms${parts.length > 0 ? `, of these ${parts.join(', ')}` : ''}.${threads}`;
}

/** `dirtyScanNs` is `dirty scan`. */
function wordsOf(part: string): string {
  return part.replace(/Ns$/, '').replace(/[A-Z]/g, (capital) => ` ${capital.toLowerCase()}`);
}
