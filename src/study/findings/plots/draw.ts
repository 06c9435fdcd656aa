import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { escaped } from '../../tables/markup.ts';

/** One picture of a report. */
export interface Figure {
  /** Of its file. */
  readonly name: string;
  readonly title: string;
  /** One sentence that says what it shows. */
  readonly caption: string;
  readonly svg: string;
}

/** Colours that can be distinguished on white and on black, after Okabe and Ito. */
export const colours = ['#2f8ac9', '#e08e00', '#0a9e74', '#c66a9b', '#d8602a', '#8b78c6', '#7d8590'];
export const accent = colours[0]!;
export const contrast = colours[4]!;

export const WIDTH = 760;

/**
 * Draws without a browser. Text and axes take the colour of the page. Attributes, the aria-label among them, must not
 * contain names from records: linkedom writes them as HTML does, which XML does not read.
 */
export function draw(options: Plot.PlotOptions & { readonly height: number }): string {
  const { document } = parseHTML('<html></html>');
  const plot = Plot.plot({
    width: WIDTH,
    className: 'plot',
    marginLeft: 60,
    marginRight: 24,
    marginBottom: 40,
    style: { fontSize: '12px' },
    document: document as never,
    ...options,
  });
  const svg = (plot as unknown as { readonly outerHTML: string }).outerHTML;
  // The page has a style of its own; and control characters, which a name may contain, XML may not.
  return svg.replace(/<style>.*?<\/style>/s, '').replace(/\p{Cc}/gu, ' ');
}

/** Several drawings of one width, one above the other. */
export function stacked(drawings: readonly string[], ariaLabel: string): string {
  let heightPx = 0;
  const placed = drawings.map((svg) => {
    const [, own = '0'] = /^<svg [^>]*?height="(\d+)"/.exec(svg) ?? [];
    const at = heightPx;
    heightPx += Number(own);
    return svg.replace('<svg ', `<svg y="${at}" `);
  });
  const size = `width="${WIDTH}" height="${heightPx}" viewBox="0 0 ${WIDTH} ${heightPx}"`;
  return `<svg class="plot" role="img" aria-label="${escaped(ariaLabel)}" ${size}>${placed.join('')}</svg>`;
}

/** As a separate file: with a namespace, and colours that do not depend on a page. */
export function standalone({ svg, title }: Figure): string {
  const opened = svg.replace('<svg ', '<svg xmlns="http://www.w3.org/2000/svg" ');
  const end = opened.indexOf('>') + 1;
  const background = '<rect width="100%" height="100%" fill="#ffffff"/>';
  return `${opened.slice(0, end).replace('<svg ', '<svg color="#24292f" ')}<title>${escaped(title)}</title>${background}${opened.slice(end)}\n`;
}

/** Cut to the room of an axis label. */
export function short(text: string, longest = 44): string {
  return text.length > longest ? `${text.slice(0, longest - 1)}…` : text;
}

/** The margin that labels of this length need. */
export function marginFor(labels: readonly string[]): number {
  return 16 + 6.6 * Math.max(...labels.map((label) => label.length));
}

/** Of points in pixels, from the first on, those that keep this distance from all that were taken before. */
export function apart<Point extends { readonly x: number; readonly y: number }>(
  points: readonly Point[],
  leastPx: number,
): readonly Point[] {
  const taken: Point[] = [];
  for (const point of points)
    if (taken.every(({ x, y }) => Math.hypot(x - point.x, y - point.y) >= leastPx)) taken.push(point);
  return taken;
}

/** At most `most` items, at even distances. */
export function evenly<T>(all: readonly T[], most: number): readonly T[] {
  if (all.length <= most) return all;
  return Array.from({ length: most }, (_, i) => all[Math.round((i * (all.length - 1)) / (most - 1))]!);
}
