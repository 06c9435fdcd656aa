import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Slice } from '../../../src/core/cpu/workload.ts';
import { svgGantt, terminalGantt } from '../../../src/study/tables/gantt.ts';

const slice = (name: string, start: number, end: number, processor = 0): Slice => ({
  name,
  start,
  end,
  processor,
});
const ms = (time: number) => `${time / 1e6} ms`;

/** Three servers under the hard rule, always busy: A (2,10), B (5,20), C (1,4). */
const threeServers = [
  slice('C', 0, 1),
  slice('A', 1, 3),
  slice('B', 3, 4),
  slice('C', 4, 5),
  slice('B', 5, 8),
  slice('C', 8, 9),
  slice('B', 9, 10),
  slice('A', 10, 12),
  slice('C', 12, 13),
  slice('C', 16, 17),
];
const threeNames = { names: ['A', 'B', 'C'], start: 0, end: 20, format: String };

/** The bar of a row, without its label. */
const barOf = (chart: string, label: string) =>
  chart
    .split('\n')
    .find((line) => line.startsWith(`${label}  `))!
    .slice(label.length + 2);

describe('a chart in the terminal', () => {
  test('has a row for each, and exact edges where every unit has a column', () => {
    expect(terminalGantt(threeServers, { ...threeNames, width: 24 }).split('\n')).toEqual([
      'A   ██       ██',
      'B     █ ███ █',
      'C  █   █   █   █   █',
      '   ┬────┬────┬────┬────┬',
      '   0    5    10   15',
    ]);
    expect(terminalGantt(threeServers, threeNames).split('\n')).toEqual([
      'A     ██████                     ██████',
      'B           ███   █████████   ███',
      'C  ███         ███         ███         ███         ███',
      '   ┬─────┬─────┬─────┬─────┬─────┬─────┬─────┬─────┬─────┬─────┬',
      '   0     2     4     6     8     10    12    14    16    18    20',
    ]);
  });

  test('fills a column as high as the share of its time that was used', () => {
    // Ten columns of 100 ns each.
    const shares = [0, 12, 25, 38, 50, 62, 75, 88, 100, 100].map((used, column) =>
      slice('A', column * 100, column * 100 + used),
    );
    const chart = terminalGantt(shares, { ...threeNames, names: ['A'], end: 1_000, width: 14 });
    expect(barOf(chart, 'A')).toBe(' ▁▂▃▄▅▆▇██');
  });

  test('neither hides the shortest slice nor calls a column full that is not', () => {
    const options = { ...threeNames, names: ['A'], end: 10_000_000, width: 14 };
    expect(barOf(terminalGantt([slice('A', 5_000_000, 5_000_001)], options), 'A')).toBe('     ▁');
    expect(barOf(terminalGantt([slice('A', 1, 1_000_000)], options), 'A')).toBe('▇');
    expect(barOf(terminalGantt([slice('A', 0, 1_000_000)], options), 'A')).toBe('█');
  });

  test('has its edges on whole milliseconds, when the time is in nanoseconds', () => {
    const slices = [slice('guest', 6e6, 12e6), slice('sender', 12e6, 15e6)];
    const chart = terminalGantt(slices, { names: ['guest', 'sender'], start: 0, end: 20e6, format: ms });
    expect(chart).not.toMatch(/[▁▂▃▄▅▆▇]/);
    expect(chart).toMatch(/ 0 ms +5 ms +10 ms +15 ms/);
  });

  test('shows the processor when several are in use, and who never ran', () => {
    const slices = [slice('A', 0, 5, 0), slice('A', 5, 10, 1), slice('B', 0, 5, 1)];
    const rows = terminalGantt(slices, { ...threeNames, end: 10, width: 21 }).split('\n');
    expect(rows.slice(0, 4)).toEqual(['A, CPU 0  █████', 'A, CPU 1       █████', 'B, CPU 1  █████', 'C']);
    expect(terminalGantt(slices.slice(1), { ...threeNames, end: 10 })).not.toContain('CPU');
  });

  test('shows only what lies within it, in whatever order it is told', () => {
    const options = { ...threeNames, start: 4, end: 10, width: 10 };
    const chart = terminalGantt(threeServers, options);
    expect(chart.split('\n').slice(0, 3)).toEqual(['A', 'B   ███ █', 'C  █   █']);
    expect(terminalGantt(threeServers.toReversed(), options)).toBe(chart);
  });

  test('is never wider than it may be', () => {
    const charts = fc.record({
      start: fc.nat(1e9),
      span: fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 1e9 })),
      width: fc.integer({ min: 20, max: 200 }),
      cuts: fc.array(fc.nat(1e9), { maxLength: 20 }),
    });
    fc.assert(
      fc.property(charts, ({ start, span, width, cuts }) => {
        const slices = cuts.map((cut) =>
          slice('A', start + (cut % span), start + (cut % span) + 1 + (cut % 7)),
        );
        const chart = terminalGantt(slices, {
          names: ['A', 'sender'],
          start,
          end: start + span,
          format: ms,
          width,
        });
        for (const line of chart.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
      }),
    );
  });
});

describe('a chart as SVG', () => {
  const options = { ...threeNames, title: 'Three servers' };
  const barsIn = (svg: string) => [...svg.matchAll(/<rect x="([\d.]+)"[^>]* width="([\d.]+)"[^>]*><title>/g)];

  test('has a bar for every slice, with its exact times, in the colour of its row', () => {
    const svg = svgGantt(threeServers, options);
    expect(barsIn(svg)).toHaveLength(threeServers.length);
    expect(svg).toContain('<title>A: 10 to 12 (2)</title>');
    expect(svg).not.toContain('opacity');
    expect(new Set(svg.match(/<g fill="[^"]+">/g))).toHaveLength(3);
    const [one, other] = barsIn(svg).map(([, x, width]) => ({ x: Number(x), width: Number(width) }));
    // A runs in [1,3) and [10,12): nine units apart, two long.
    expect((other!.x - one!.x) / one!.width).toBeCloseTo(4.5, 2);
    expect(other!.width).toBeCloseTo(one!.width, 2);
  });

  test('stays within its frame', () => {
    for (const width of [400, 960]) {
      const svg = svgGantt(threeServers, { ...options, width });
      expect(svg).toContain(`viewBox="0 0 ${width} `);
      for (const [, x, length] of barsIn(svg)) expect(Number(x) + Number(length)).toBeLessThan(width);
    }
  });

  test('escapes what it is told', () => {
    const name = `<script>"&'`;
    const svg = svgGantt([slice(name, 0, 1)], { ...options, names: [name], title: `a < b & "c"` });
    expect(svg).not.toContain('<script');
    expect(svg).toContain('&lt;script&gt;&quot;&amp;&#39;');
    expect(svg).toContain('a &lt; b &amp; &quot;c&quot;');
  });

  test('shows the processor when several are in use', () => {
    const svg = svgGantt([...threeServers, slice('B', 11, 14, 1)], options);
    expect(svg).toContain('>B<tspan class="quiet">, CPU 1</tspan></text>');
    expect(svg).toContain('<title>B, CPU 1: 11 to 14 (3)</title>');
    expect(svgGantt(threeServers, options)).not.toContain('CPU');
  });

  test('of a hundred thousand slices is of a reasonable size, loses no time, and is pale where little ran', () => {
    const slices = Array.from({ length: 100_000 }, (_, period) => slice('A', period * 10, period * 10 + 2));
    const svg = svgGantt(slices, { ...options, names: ['A'], end: 1_000_000 });
    expect(svg.length).toBeLessThan(300_000);
    const used = [...svg.matchAll(/\((\d+)(?: in \d+ slices)?\)<\/title>/g)].map(([, time]) => Number(time));
    expect(used.reduce((sum, time) => sum + time, 0)).toBe(200_000);
    const shades = [...svg.matchAll(/opacity="([\d.]+)"/g)].map(([, shade]) => Number(shade));
    expect(shades.length).toBeGreaterThan(500);
    for (const shade of shades) expect(shade).toBeCloseTo(0.2, 1);
  });

  test('is one well-formed document that runs nothing', () => {
    const svg = svgGantt(threeServers, options);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" /);
    const open: string[] = [];
    for (const [, closing, tag, itself] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
      if (closing) expect(open.pop()).toBe(tag);
      else if (!itself) open.push(tag!);
    }
    expect(open).toEqual([]);
    expect(svg).not.toMatch(/<script|onload|href/);
  });
});
