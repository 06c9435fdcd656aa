import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escaped } from '../src/study/tables/markup.ts';
import { type Course, type Prometheus, substituted } from './check.ts';

/**
 * A drawing of a dashboard: the panels of its JSON at their places, with titles, units, legends, limits and the data of a real
 * Prometheus. It shows what a panel says and whether it can be read. It is not Grafana, which may draw it differently.
 */
export interface DrawnDashboard {
  readonly title: string;
  readonly description: string;
  readonly panels: readonly DrawnPanel[];
}

interface DrawnPanel {
  readonly type: string;
  readonly title?: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly fieldConfig?: {
    readonly defaults: {
      readonly unit?: string;
      readonly custom?: { readonly drawStyle?: string };
      readonly thresholds?: { readonly steps: readonly { readonly value: number | null }[] };
    };
  };
}

interface NamedCourse extends Course {
  readonly name: string;
}

/** As much as a minute of the demonstration shows something in. */
const RANGE_SECONDS = 300;
const STEP_SECONDS = 2;
const ROW_PX = 38;
const COLUMN_PX = 58;
const COLOURS = ['#73bf69', '#f2cc0c', '#8ab8ff', '#ff780a', '#f2495c', '#5794f2', '#b877d9', '#37872d'];

/** One page, dark as Grafana's default is. */
export async function drawn(prometheus: Prometheus, dashboard: DrawnDashboard): Promise<string> {
  const { title, description, panels } = dashboard;
  const boxes: string[] = [];
  for (const panel of panels) boxes.push(await boxOf(prometheus, panel));
  return `<!doctype html><meta charset="utf-8"><title>${escaped(title)}</title><style>${STYLE}</style>
<h1>${escaped(title)}</h1><p>${escaped(description)} A drawing of the panels by Switchover, not by Grafana.</p>
<main>${boxes.join('\n')}</main>`;
}

async function boxOf(prometheus: Prometheus, panel: DrawnPanel): Promise<string> {
  const { gridPos, title = '', description = '', type } = panel;
  const place = `grid-column: ${gridPos.x + 1} / span ${gridPos.w}; grid-row: ${gridPos.y + 1} / span ${gridPos.h}`;
  if (type === 'row') return `<h2 style="${place}">${escaped(title)}</h2>`;
  const courses = await coursesOf(prometheus, panel);
  const body = courses.length === 0 ? '<p>no data</p>' : bodyOf(panel, courses);
  return `<section style="${place}" title="${escaped(description)}"><h3>${escaped(title)}</h3>${body}</section>`;
}

async function coursesOf(
  prometheus: Prometheus,
  { targets = [] }: DrawnPanel,
): Promise<readonly NamedCourse[]> {
  const all: NamedCourse[] = [];
  for (const { expr, legendFormat } of targets) {
    const courses = await prometheus.course(substituted(expr), RANGE_SECONDS, STEP_SECONDS);
    for (const course of courses) {
      const name = legendFormat.replace(/\{\{(\w+)\}\}/g, (_, label: string) => course.labels[label] ?? '');
      all.push({ ...course, name, points: course.points.filter(({ value }) => Number.isFinite(value)) });
    }
  }
  return all.filter(({ points }) => points.length > 0);
}

function bodyOf(panel: DrawnPanel, courses: readonly NamedCourse[]): string {
  const { unit = 'short', thresholds } = panel.fieldConfig?.defaults ?? {};
  const limit = thresholds?.steps.find(({ value }) => value !== null)?.value ?? undefined;
  const lasts = courses.map(({ name, points }) => ({ name, value: points.at(-1)!.value }));
  if (panel.type === 'stat') {
    return lasts
      .map(
        ({ name, value }) =>
          `<div class="figure">${escaped(inUnit(value, unit))}<small>${escaped(name)}</small></div>`,
      )
      .join('');
  }
  const size = { width: panel.gridPos.w * COLUMN_PX - 24, height: panel.gridPos.h * ROW_PX - 44 };
  if (panel.type === 'bargauge') {
    const marginLeft = 20 + 6.5 * Math.max(...lasts.map(({ name }) => name.length));
    return svgOf({
      ...size,
      marginLeft,
      marginRight: 50,
      x: { axis: null, domain: [0, Math.max(1, ...lasts.map(({ value }) => value))] },
      y: { label: null },
      marks: [
        Plot.barX(lasts, { x: 'value', y: 'name', fill: COLOURS[2]! }),
        Plot.text(lasts, {
          x: 'value',
          y: 'name',
          text: ({ value }) => value.toFixed(0),
          dx: 6,
          textAnchor: 'start',
        }),
      ],
    });
  }
  if (panel.type === 'heatmap') return svgOf({ ...size, ...heatmap(courses, unit) });
  const legend = courses.map(({ name, points }, index) => {
    const most = points.reduce((high, { value }) => Math.max(high, value), 0);
    const last = inUnit(points.at(-1)!.value, unit);
    return `<span><i style="background:${colourOf(index)}"></i>${escaped(name)}: ${escaped(last)}, at most ${escaped(inUnit(most, unit))}</span>`;
  });
  const points = courses.flatMap(({ points }, index) =>
    points.map((point) => ({ ...point, index, colour: colourOf(index) })),
  );
  const isPoints = panel.fieldConfig?.defaults.custom?.drawStyle === 'points';
  const place = { x: 'at', y: 'value' };
  return `${svgOf({
    ...size,
    height: size.height - 15 * Math.ceil(legend.length / 2),
    x: { label: null, domain: [-RANGE_SECONDS, 0], tickFormat: (at: number) => `${at} s`, ticks: 5 },
    y: { label: null, grid: true, zero: true, tickFormat: (value: number) => inUnit(value, unit), ticks: 4 },
    marks: [
      ...(limit === undefined ? [] : [Plot.ruleY([limit], { stroke: '#f2495c', strokeDasharray: '5 4' })]),
      isPoints
        ? Plot.dot(points, { ...place, fill: 'colour', r: 3 })
        : Plot.line(points, { ...place, z: 'index', stroke: 'colour', strokeWidth: 1.5 }),
    ],
  })}<div class="legend">${legend.join('')}</div>`;
}

/** A column a step, a row a bucket: how many more there are in it than in the bucket below. */
function heatmap(courses: readonly NamedCourse[], unit: string): Plot.PlotOptions {
  const bound = ({ name }: NamedCourse) => (name === '+Inf' ? Number.POSITIVE_INFINITY : Number(name));
  const sorted = courses.toSorted((one, other) => bound(one) - bound(other));
  const cells = sorted.flatMap((course, index) => {
    const below = new Map(sorted[index - 1]?.points.map(({ at, value }) => [at, value]));
    return course.points.map(({ at, value }) => ({
      at,
      le: course.name,
      count: value - (below.get(at) ?? 0),
    }));
  });
  return {
    x: { axis: null, type: 'band' },
    y: {
      label: null,
      domain: sorted.map(({ name }) => name).toReversed(),
      tickFormat: (le: string) => (le === '+Inf' ? '∞' : inUnit(Number(le), unit)),
    },
    color: { scheme: 'oranges', domain: [0, Math.max(1, ...cells.map(({ count }) => count))] },
    marks: [
      Plot.cell(
        cells.filter(({ count }) => count > 1e-6),
        { x: 'at', y: 'le', fill: 'count' },
      ),
    ],
  };
}

function colourOf(index: number): string {
  return COLOURS[index % COLOURS.length]!;
}

function svgOf(options: Plot.PlotOptions): string {
  const { document } = parseHTML('<html></html>');
  const plot = Plot.plot({ marginLeft: 64, marginTop: 8, ...options, document: document as never });
  return (plot as unknown as { readonly outerHTML: string }).outerHTML;
}

/** The units that the panels use, as Grafana abbreviates them. */
function inUnit(value: number, unit: string): string {
  const short = (number: number) => String(Number(number.toPrecision(3)));
  if (unit === 'bool_yes_no') return value === 0 ? 'No' : 'Yes';
  if (unit === 'percentunit') return `${short(value * 100)}%`;
  if (unit === 's')
    return value !== 0 && Math.abs(value) < 1 ? `${short(value * 1e3)} ms` : `${short(value)} s`;
  if (unit === 'Bps' || unit === 'bytes') {
    const power = value === 0 ? 0 : Math.max(0, Math.min(3, Math.floor(Math.log10(Math.abs(value)) / 3)));
    return `${short(value / 1e3 ** power)} ${['', 'k', 'M', 'G'][power]}B${unit === 'Bps' ? '/s' : ''}`;
  }
  return short(value);
}

const STYLE = `
body { background: #111217; color: #ccccdc; font: 12px/1.4 system-ui, "DejaVu Sans", sans-serif; margin: 16px; }
h1 { font-size: 18px; margin: 0; } h2 { font-size: 14px; margin: 8px 0 0; } h3 { font-size: 12px; margin: 0 0 6px; }
main { display: grid; grid-template-columns: repeat(24, ${COLUMN_PX}px); grid-auto-rows: ${ROW_PX}px; }
section { background: #181b1f; border: 1px solid #2c3235; margin: 3px; padding: 6px 8px; overflow: hidden; }
.figure { font-size: 22px; display: inline-block; margin: 6px 14px 0 0; } .figure small { display: block; font-size: 11px; }
.legend { display: grid; grid-template-columns: 1fr 1fr; font-size: 10px; line-height: 15px; white-space: nowrap; }
.legend span { overflow: hidden; text-overflow: ellipsis; } .legend i { display: inline-block; width: 9px; height: 9px; margin-right: 5px; }
`;
