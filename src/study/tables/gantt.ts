import type { Slice } from '../../core/cpu/workload.ts';
import { grouped } from '../statistics/grouped.ts';
import { escaped } from './markup.ts';

export interface GanttOptions {
  /** Whose slices are drawn, from top to bottom. */
  readonly names: readonly string[];
  readonly start: number;
  readonly end: number;
  readonly format: (time: number) => string;
  /** Of the whole chart: columns in a terminal (80), pixels in an SVG (960). */
  readonly width?: number;
}

interface Row {
  readonly name: string;
  /** Shown only if several processors are in use. */
  readonly processor: number | undefined;
  /** In the order of time, clipped to the chart. */
  readonly slices: readonly Slice[];
}

const BLOCKS = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/** Who ran when, one row each; a block is as high as the share of its column's time that was used. */
export function terminalGantt(slices: readonly Slice[], options: GanttOptions): string {
  const { start, end, format, width = 80 } = options;
  const rows = rowsOf(slices, options);
  const labels = rows.map(labelOf);
  const gutter = Math.max(...labels.map((label) => label.length)) + 2;
  const grid = columnsWithin(end - start, width - gutter - 1);
  const columnOf = (time: number) => ((time - start) * grid.perGrain) / grid.grain;
  const columns = Math.ceil(columnOf(end));

  const bars = rows.map(({ slices }, row) => {
    const used = new Array<number>(columns).fill(0);
    for (const slice of slices) {
      const [from, to] = [columnOf(slice.start), columnOf(slice.end)];
      for (let column = Math.floor(from); column < to; column++) {
        used[column]! += Math.min(to, column + 1) - Math.max(from, column);
      }
    }
    return (labels[row]!.padEnd(gutter) + used.map(block).join('')).trimEnd();
  });

  const axis = new Array<string>(columns + 1).fill('─');
  let marks = '';
  const roomFor = (label: string) => ((label.length + 2) * grid.grain) / grid.perGrain;
  for (const tick of ticksOf(start, end, roomFor, format)) {
    const column = Math.round(columnOf(tick));
    axis[column] = '┬';
    const label = format(tick);
    if (gutter + column + label.length <= width) marks = marks.padEnd(column) + label;
  }
  const margin = ' '.repeat(gutter);
  return [...bars, margin + axis.join(''), margin + marks].join('\n');
}

/**
 * A column is 10^k/n units of time with whole k and n, as short as the room allows: so every multiple of 10^k, and
 * every whole unit if each has a column, is the edge of a column.
 */
function columnsWithin(span: number, room: number): { readonly grain: number; readonly perGrain: number } {
  const grain = 10 ** Math.max(0, Math.ceil(Math.log10(span / room)));
  return { grain, perGrain: Math.max(1, Math.floor((grain * room) / span)) };
}

/** Only a column used from edge to edge is full, only one not used at all is empty. */
function block(used: number): string {
  if (used < 1e-9) return BLOCKS[0]!;
  return BLOCKS[used > 1 - 1e-9 ? 8 : Math.min(7, Math.max(1, Math.round(used * 8)))]!;
}

/** Okabe & Ito's colours, told apart by everybody; without the yellow, which white swallows. */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#555555'];
const ROW = 30;
const BAR = 18;
const MARGIN = 20;
const HEAD = 52;
const FOOT = 44;
/** The width of a character of the labels, at most. */
const CHARACTER = 7.5;

/**
 * The same as a standalone SVG. Slices that together are within a pixel are drawn as one bar, the paler the less of
 * its time is used, so that the file grows with the width and not with the number of slices.
 */
export function svgGantt(
  slices: readonly Slice[],
  options: GanttOptions & { readonly title: string },
): string {
  const { names, start, end, format, title, width = 960 } = options;
  const rows = rowsOf(slices, options);
  const left = MARGIN + Math.max(...rows.map((row) => labelOf(row).length)) * CHARACTER + 12;
  const pixelsPerTime = (width - left - MARGIN - (format(end).length * CHARACTER) / 2) / (end - start);
  const x = (time: number) => left + (time - start) * pixelsPerTime;
  const right = x(end);
  const bottom = HEAD + rows.length * ROW;
  const height = bottom + FOOT;
  const top = (row: number) => HEAD + row * ROW + (ROW - BAR) / 2;

  const lanes = rows.map((_, row) => {
    const shape = `x="${px(left)}" y="${top(row)}" width="${px(right - left)}" height="${BAR}"`;
    return `<rect class="lane" ${shape}/>`;
  });

  const bars = rows.flatMap((row, index) => {
    const colour = COLOURS[names.indexOf(row.name) % COLOURS.length]!;
    const processor =
      row.processor === undefined ? '' : `<tspan class="quiet">, CPU ${row.processor}</tspan>`;
    const name = `${escaped(row.name)}${processor}`;
    return [
      `<text class="name" x="${MARGIN}" y="${top(index) + BAR / 2}" dy=".35em">${name}</text>`,
      `<g fill="${colour}">`,
      ...barsOf(row.slices, 1 / pixelsPerTime).map((bar) => {
        const length = bar.end - bar.start;
        const thickness = px(Math.max(0.5, length * pixelsPerTime));
        const shape = `x="${px(x(bar.start))}" y="${top(index)}" width="${thickness}" height="${BAR}"`;
        const paleness = bar.used < length ? ` opacity="${px(Math.max(0.1, bar.used / length))}"` : '';
        return `<rect ${shape}${paleness}><title>${escaped(tooltip(row, bar, format))}</title></rect>`;
      }),
      '</g>',
    ];
  });

  const ticks = ticksOf(start, end, (label) => ((label.length + 3) * CHARACTER) / pixelsPerTime, format);
  const grid = ticks.flatMap((tick) => [
    `<line class="grid" x1="${px(x(tick))}" y1="${HEAD - 6}" x2="${px(x(tick))}" y2="${bottom + 6}"/>`,
    `<text class="tick" x="${px(x(tick))}" y="${bottom + 22}">${escaped(format(tick))}</text>`,
  ]);

  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect width="${width}" height="${height}" rx="8" fill="#ffffff"/>`,
    `<text class="title" x="${MARGIN}" y="30">${escaped(title)}</text>`,
    ...lanes,
    ...grid,
    ...bars,
    `<line class="axis" x1="${px(left)}" y1="${bottom}" x2="${px(right)}" y2="${bottom}"/>`,
    '</svg>',
    '',
  ].join('\n');
}

const STYLE = [
  'text{font-family:system-ui,-apple-system,"Segoe UI","Helvetica Neue","DejaVu Sans",sans-serif;fill:#24292f}',
  '.title{font-size:15px;font-weight:600}',
  '.name{font-size:13px}',
  '.quiet{fill:#6e7781}',
  '.tick{font-size:12px;fill:#57606a;text-anchor:middle}',
  '.grid{stroke:#d8dee4}',
  '.lane{fill:#f3f5f7}',
  '.axis{stroke:#8c959f}',
].join('');

interface Bar {
  readonly start: number;
  end: number;
  used: number;
  count: number;
}

/** Slices, joined as long as they end within a pixel of where the first of them starts. */
export function barsOf(slices: readonly Slice[], timePerPixel: number): Bar[] {
  const bars: Bar[] = [];
  for (const { start, end } of slices) {
    const bar = bars.at(-1);
    if (bar && end - bar.start <= timePerPixel) {
      bar.end = Math.max(bar.end, end);
      bar.used += end - start;
      bar.count += 1;
    } else bars.push({ start, end, used: end - start, count: 1 });
  }
  return bars;
}

function tooltip(row: Row, { start, end, used, count }: Bar, format: (time: number) => string): string {
  const when = `${labelOf(row)}: ${format(start)} to ${format(end)}`;
  return count === 1 ? `${when} (${format(used)})` : `${when} (${format(used)} in ${count} slices)`;
}

function rowsOf(slices: readonly Slice[], { names, start, end }: GanttOptions): Row[] {
  const drawn = slices
    .filter((slice) => names.includes(slice.name) && slice.end > start && slice.start < end)
    .map((slice) => ({ ...slice, start: Math.max(start, slice.start), end: Math.min(end, slice.end) }))
    .sort((one, other) => one.processor - other.processor || one.start - other.start);
  const isShared = new Set(drawn.map(({ processor }) => processor)).size > 1;
  const byName = grouped(drawn, ({ name }) => name);
  return names.flatMap((name): Row[] => {
    const own = [...grouped(byName.get(name) ?? [], ({ processor }) => String(processor)).values()];
    if (own.length === 0) return [{ name, processor: undefined, slices: [] }];
    return own.map((slices) => ({ name, processor: isShared ? slices[0]!.processor : undefined, slices }));
  });
}

function labelOf({ name, processor }: Row): string {
  return processor === undefined ? name : `${name}, CPU ${processor}`;
}

/** The multiples of 1, 2 or 5·10^k, k ≥ 0, from start to end, as many as leave every label the room it needs. */
function ticksOf(
  start: number,
  end: number,
  roomFor: (label: string) => number,
  format: (time: number) => string,
): number[] {
  for (let power = Math.max(0, Math.floor(Math.log10((end - start) / 100))); ; power++) {
    for (const digit of [1, 2, 5]) {
      const step = digit * 10 ** power;
      const first = Math.ceil(start / step);
      const ticks = Array.from(
        { length: Math.max(0, Math.floor(end / step) - first + 1) },
        (_, index) => (first + index) * step,
      );
      if (ticks.every((tick) => roomFor(format(tick)) <= step)) return ticks;
    }
  }
}

/** A number of pixels, to a hundredth. */
function px(value: number): string {
  return String(Math.round(value * 100) / 100);
}
