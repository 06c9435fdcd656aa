import * as Plot from '@observablehq/plot';
import { quantile } from '../../statistics/estimate.ts';
import { grouped } from '../../statistics/grouped.ts';
import { figure } from '../../tables/figure.ts';
import { magnitude, type ReportCell } from '../cells.ts';
import { settingAxis } from '../quantities.ts';
import { draw, type Figure, marginFor } from './draw.ts';

const MOST_VALUES = 40;
/** Of several pairs of axes, those of reservations first: (P, Q), then (b, b_d). */
const FIRST = [/period/i, /budget/i, /rate/i];

/** Median downtime over two swept settings, whatever else varies being averaged over by the median. */
export function surface(cells: readonly ReportCell[]): Figure | undefined {
  const axes = axesOf(cells);
  if (!axes) return undefined;
  const [x, y] = axes;
  const points = cells.flatMap(({ axes, downtimeMs }) => {
    const [across, up] = [axes.get(x), axes.get(y)];
    if (!downtimeMs || across === undefined || up === undefined) return [];
    return [{ x: across, y: up, ms: downtimeMs.median }];
  });
  const tiles = [...grouped(points, ({ x, y }) => JSON.stringify([x, y])).values()].map((same) => {
    const downtimesMs = same.map(({ ms }) => ms);
    return { ...same[0]!, ms: quantile(downtimesMs, 0.5) };
  });
  if (tiles.length < 4) return undefined;
  const ordered = (of: (tile: (typeof tiles)[number]) => string) =>
    [...new Set(tiles.map(of))].toSorted((a, b) => magnitude(a)! - magnitude(b)!);
  const [columns, rows] = [ordered((tile) => tile.x), ordered((tile) => tile.y).reverse()];
  const figures = tiles.map(({ ms }) => ms);
  const [least, most] = [Math.min(...figures), Math.max(...figures)];
  const [across, upwards] = [settingAxis(x, columns), settingAxis(y, rows)];
  const isLog = least > 0 && most / least > 20;
  const scaled = isLog ? Math.log : Number;
  const lightest = scaled(least * 0.9);
  const isDark = (ms: number) => (scaled(ms) - lightest) / (scaled(most) - lightest) > 0.55;
  const numbers = tiles.map(({ ms, ...place }) => {
    return { ...place, text: figure(ms), fill: isDark(ms) ? '#ffffff' : '#10202f' };
  });
  return {
    name: 'surface',
    title: `Median downtime over ${withoutUnit(across.label)} and ${withoutUnit(upwards.label)}`,
    caption: `The numbers are ms; darker means longer.${cells.length > tiles.length ? ' Other settings vary too; the medians are taken over them.' : ''}`,
    svg: draw({
      ariaLabel: 'Median downtime over two settings',
      height: 98 + Math.max(24, Math.min(36, 420 / rows.length)) * rows.length,
      marginLeft: Math.max(70, marginFor(rows.map(upwards.shown))),
      marginBottom: 44,
      x: {
        label: `${across.label} →`,
        domain: columns,
        type: 'band',
        tickFormat: across.shown,
        labelAnchor: 'right',
      },
      y: {
        label: `↑ ${upwards.label}`,
        domain: rows,
        type: 'band',
        tickFormat: upwards.shown,
        labelAnchor: 'top',
      },
      marginTop: 34,
      color: { scheme: 'blues', type: isLog ? 'log' : 'linear', domain: [least * 0.9, most] },
      marks: [
        Plot.cell(tiles, {
          x: 'x',
          y: 'y',
          fill: 'ms',
          inset: 0.5,
          title: ({ x, y, ms }) => `${x}, ${y}: ${figure(ms)} ms`,
        }),
        ...(columns.length <= 14 ? [Plot.text(numbers, { x: 'x', y: 'y', text: 'text', fill: 'fill' })] : []),
      ],
    }),
  };
}

function withoutUnit(label: string): string {
  return label.replace(/, [^,]*$/, '');
}

/** Two settings of several magnitudes each, that vary independently of each other at least in part. */
function axesOf(cells: readonly ReportCell[]): readonly [string, string] | undefined {
  const paths = [...new Set(cells.flatMap(({ axes }) => [...axes.keys()]))];
  const candidates = paths
    .map((path) => ({ path, values: new Set(cells.flatMap(({ axes }) => axes.get(path) ?? [])) }))
    .filter(({ values }) => {
      const isAxis = values.size >= 2 && values.size <= MOST_VALUES;
      return isAxis && [...values].every((value) => magnitude(value) !== undefined);
    })
    .toSorted((a, b) => rankOf(a.path) - rankOf(b.path));
  for (const [place, one] of candidates.entries()) {
    for (const other of candidates.slice(place + 1)) {
      const pairs = new Set(
        cells.map(({ axes }) => JSON.stringify([axes.get(one.path), axes.get(other.path)])),
      );
      if (pairs.size > Math.max(one.values.size, other.values.size) + 1) return [one.path, other.path];
    }
  }
  return undefined;
}

function rankOf(path: string): number {
  const rank = FIRST.findIndex((pattern) => pattern.test(path));
  return rank < 0 ? FIRST.length : rank;
}
