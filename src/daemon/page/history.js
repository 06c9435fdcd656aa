import { colour, fill, h } from './dom.js';
import { duration } from './format.js';
import uPlot from './uplot/uPlot.esm.js';

let chart;
let shown = '';

/** Every downtime of a migration from here: measured, what the model had said, and the target. */
export function drawHistory(section, { migrations, targetDowntimeNs }) {
  const ended = migrations
    .filter(({ record }) => record?.outcome === 'completed')
    .map(({ record, endedAt }) => ({ at: Date.parse(endedAt) / 1e3, record }))
    .sort((one, other) => one.at - other.at);
  const state = `${ended.length} ${ended.at(-1)?.at} ${section.clientWidth} ${colour('ink')}`;
  if (state === shown) return;
  shown = state;
  chart?.destroy();
  const none = 'No guest has left for another host yet.';
  if (ended.length === 0) return fill(section, 'Downtimes', undefined, h('p.empty', none));
  const [bare, guarded, model, target] = ['bad', 'good', 'quiet', 'warn'].map(colour);
  const reserved = ({ record }) => record.reservations.sender !== null || record.reservations.guest !== null;
  const value = (of) => [null, ...ended.map((one) => of(one) ?? null), null];
  const [first, last] = [ended[0].at, ended.at(-1).at];
  const margin = Math.max(30, (last - first) * 0.03);
  const data = [
    [first - margin, ...ended.map(({ at }) => at), last + margin],
    value((one) => (reserved(one) ? undefined : one.record.downtimeNs / 1e6)),
    value((one) => (reserved(one) ? one.record.downtimeNs / 1e6 : undefined)),
    value(({ record }) => (record.predicted ? record.predicted.downtimeNs / 1e6 : undefined)),
    Array(ended.length + 2).fill(targetDowntimeNs / 1e6),
  ];
  const legend = Object.entries({
    'without a guarantee': bare,
    'with a guarantee': guarded,
    predicted: model,
    [`target ${duration(targetDowntimeNs)}`]: target,
  }).map(([name, background]) => h('span', h('i', { style: { background } }), name));
  const place = h('div.chart');
  fill(section, 'Downtimes', undefined, place, h('div.legend', legend));
  const dots = (stroke, filled) => {
    const [size, fill, width] = filled ? [8, stroke, 0] : [6, colour('card'), 1.5];
    return { stroke, paths: () => null, points: { show: true, size, fill, width } };
  };
  const axis = { stroke: model, grid: { stroke: colour('line'), width: 1 }, ticks: { show: false } };
  const timeOfDay = (second) => new Date(second * 1e3).toTimeString().slice(0, 8);
  const powerOfTen = (value, round) => 10 ** round(Math.log10(value));
  chart = new uPlot(
    {
      width: section.clientWidth - 36,
      height: 250,
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
        { ...axis, space: 66, gap: 10, values: (_, marks) => marks.map(timeOfDay) },
        {
          ...axis,
          size: 62,
          // Of a logarithmic scale, the powers of ten.
          grid: { ...axis.grid, filter: decades },
          values: (_, marks) => decades(_, marks).map((ms) => (ms === null ? '' : duration(ms * 1e6))),
        },
      ],
      series: [
        {},
        dots(bare, true),
        dots(guarded, true),
        dots(model, false),
        { stroke: target, dash: [5, 5], width: 1.5, points: { show: false } },
      ],
    },
    data,
    place,
  );
}

function decades(_, marks) {
  return marks.map((mark) => (Number.isInteger(Math.round(Math.log10(mark) * 1e6) / 1e6) ? mark : null));
}
