import { colour, fill, h } from './dom.js';
import { count, duration, timeOfDay } from './format.js';
import { verdictOf, verdicts } from './promises.js';
import uPlot from './uplot/uPlot.esm.js';

let chart;
let shown = '';

/** In which shape and colour a downtime is drawn: by whether what was promised was kept. */
const MARKS = {
  kept: { colour: 'good', sign: '●' },
  broken: { colour: 'bad', sign: '✕' },
  none: { colour: 'accent', sign: '○' },
  bound: { colour: 'ink', sign: '—' },
  without: { colour: 'warn', sign: '◇' },
};

/** Every downtime of a migration from here, the bound that it was promised, and what it would have been without its guarantee. */
export function drawHistory(section, { migrations, comparisons, targetDowntimeNs }) {
  const ended = migrations
    .filter(({ record }) => record?.outcome === 'completed')
    .map((migration) => pointOf(migration, comparisons))
    .sort((one, other) => one.at - other.at);
  const state = `${JSON.stringify(ended)} ${section.clientWidth} ${colour('ink')}`;
  if (state === shown) return;
  shown = state;
  chart?.destroy();
  chart = undefined;
  const none = 'No guest has left for another host yet.';
  if (ended.length === 0) return fill(section, 'Downtimes', undefined, h('p.empty', none));
  const place = h('div.chart', { role: 'img', 'aria-label': inWords(ended) });
  fill(section, 'Downtimes', undefined, place, legend(targetDowntimeNs));
  chart = plotted(place, ended, targetDowntimeNs, section.clientWidth - 36);
}

function pointOf(migration, comparisons) {
  const { id, record, endedAt, promises } = migration;
  const comparison = comparisons.find(({ guaranteed }) => guaranteed.migrations.includes(id));
  return {
    at: Date.parse(endedAt) / 1e3,
    verdict: verdictOf(migration),
    downtimeMs: drawable(record.downtimeNs),
    boundMs: drawable(promises?.downtime?.boundNs),
    withoutMs: drawable(comparison?.unguaranteed?.memory.medianNs),
  };
}

/** A logarithmic scale has no place for 0. */
function drawable(ns) {
  return ns > 0 ? ns / 1e6 : undefined;
}

function inWords(ended) {
  const counted = Object.entries(verdicts).map(([verdict, { word }]) => {
    return `${count(ended.filter((one) => one.verdict === verdict).length)} ${word}`;
  });
  return `Downtimes of ${count(ended.length)} migrations; promises: ${counted.join(', ')}. The table of migrations has the figures.`;
}

function legend(targetDowntimeNs) {
  const names = {
    kept: 'downtime, promises kept',
    broken: 'promises broken',
    none: 'nothing promised',
    bound: 'bound of sending what is left',
    without: 'that without the guarantee',
  };
  const entry = ([mark, name]) => {
    const sign = h(
      'b',
      { style: { color: `var(--${MARKS[mark].colour})` }, 'aria-hidden': 'true' },
      MARKS[mark].sign,
    );
    return h('span', sign, ` ${name}`);
  };
  return h(
    'div.legend',
    Object.entries(names).map(entry),
    h('span', `- - target ${duration(targetDowntimeNs)}`),
  );
}

function plotted(place, ended, targetDowntimeNs, width) {
  const [first, last] = [ended[0].at, ended.at(-1).at];
  const margin = Math.max(30, (last - first) * 0.03);
  const value = (of) => [null, ...ended.map((one) => of(one) ?? null), null];
  const data = [
    [first - margin, ...ended.map(({ at }) => at), last + margin],
    ...['kept', 'broken', 'none'].map((verdict) =>
      value((one) => (one.verdict === verdict ? one.downtimeMs : undefined)),
    ),
    value(({ boundMs }) => boundMs),
    value(({ withoutMs }) => withoutMs),
    Array(ended.length + 2).fill(targetDowntimeNs / 1e6),
  ];
  const quiet = colour('quiet');
  const axis = { stroke: quiet, grid: { stroke: colour('line'), width: 1 }, ticks: { show: false } };
  const powerOfTen = (value, round) => 10 ** round(Math.log10(value));
  const marks = Object.values(MARKS).map((mark) => ({
    stroke: colour(mark.colour),
    paths: () => null,
    points: { show: (plot, series) => drawMarks(plot, series, mark) },
  }));
  return new uPlot(
    {
      width,
      height: 270,
      legend: { show: false },
      cursor: { y: false },
      scales: {
        x: { range: [first - margin, last + margin] },
        y: {
          distr: 3,
          range: (_, least, most) => [powerOfTen(least, Math.floor), powerOfTen(most * 1.01, Math.ceil)],
        },
      },
      axes: [
        { ...axis, space: 66, gap: 10, values: (_, marks) => marks.map((second) => timeOfDay(second * 1e3)) },
        {
          ...axis,
          size: 62,
          // Of a logarithmic scale, the powers of ten.
          grid: { ...axis.grid, filter: decades },
          values: (_, marks) => decades(_, marks).map((ms) => (ms === null ? '' : duration(ms * 1e6))),
        },
      ],
      series: [{}, ...marks, { stroke: quiet, dash: [5, 5], width: 1.5, points: { show: false } }],
    },
    data,
    place,
  );
}

/** Signs of different shapes, since not everybody tells the colours apart. */
function drawMarks(plot, series, mark) {
  const { ctx } = plot;
  ctx.save();
  ctx.fillStyle = colour(mark.colour);
  ctx.font = `${14 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  for (const [index, value] of plot.data[series].entries()) {
    if (value === null) continue;
    ctx.fillText(mark.sign, plot.valToPos(plot.data[0][index], 'x', true), plot.valToPos(value, 'y', true));
  }
  ctx.restore();
  return false;
}

function decades(_, marks) {
  return marks.map((mark) => (Number.isInteger(Math.round(Math.log10(mark) * 1e6) / 1e6) ? mark : null));
}
