import { colour, h } from './dom.js';
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
  const heading = h('div', { class: 'head' }, h('h2', {}, 'Downtimes'));
  if (ended.length === 0) {
    section.replaceChildren(heading, h('p', { class: 'empty' }, 'No guest has left for another host yet.'));
    return;
  }
  const [none, guarded, model] = [colour('bad'), colour('good'), colour('quiet')];
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
  const legend = (name, tint) => h('span', {}, h('i', { style: { background: tint } }), name);
  const place = h('div', { class: 'chart' });
  section.replaceChildren(
    heading,
    place,
    h(
      'div',
      { class: 'legend' },
      legend('without a guarantee', none),
      legend('with a guarantee', guarded),
      legend('predicted', model),
      legend(`target ${duration(targetDowntimeNs)}`, colour('warn')),
    ),
  );
  const dots = (tint, filled) => ({
    stroke: tint,
    paths: () => null,
    points: {
      show: true,
      size: filled ? 8 : 6,
      fill: filled ? tint : colour('card'),
      width: filled ? 0 : 1.5,
    },
  });
  const axis = {
    stroke: colour('quiet'),
    grid: { stroke: colour('line'), width: 1 },
    ticks: { show: false },
  };
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
          range: (_, least, most) => [
            10 ** Math.floor(Math.log10(least)),
            10 ** Math.ceil(Math.log10(most * 1.01)),
          ],
        },
      },
      axes: [
        {
          ...axis,
          space: 66,
          gap: 10,
          values: (_, marks) => marks.map((second) => timeOfDay(new Date(second * 1e3))),
        },
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
        dots(none, true),
        dots(guarded, true),
        dots(model, false),
        { stroke: colour('warn'), dash: [5, 5], width: 1.5, points: { show: false } },
      ],
    },
    data,
    place,
  );
}

function timeOfDay(date) {
  return date.toTimeString().slice(0, 8);
}

function decades(_, marks) {
  return marks.map((mark) => (Number.isInteger(Math.round(Math.log10(mark) * 1e6) / 1e6) ? mark : null));
}
