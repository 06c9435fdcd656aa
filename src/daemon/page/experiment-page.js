import { chip, figures, fill, h } from './dom.js';
import { count, duration, when } from './format.js';
import { cancelExperiment, isUnderWay } from './lists.js';
import { table } from './table.js';

/** All that is known of one experiment, each of its cells apart. */
export function drawExperiment(section, { experiment }) {
  const { id, name, describe, world, state, why, createdAt, endedAt, runs, cells } = experiment;
  const title = h('div', h('h2', name), chip(state));
  const records = h(
    'a.button',
    { href: `api/experiments/${id}/records`, download: `${name}.ndjson`, 'data-key': 'records' },
    'Records',
  );
  const json = h(
    'a.button',
    { href: `api/experiments/${id}`, download: `${name}.json`, 'data-key': 'json' },
    'JSON',
  );
  const cancel = isUnderWay(experiment) && cancelExperiment(experiment);
  const columns = [
    ['settings', ({ settings }) => settings || 'as the scenario says'],
    ['runs', ({ runs: ended }) => count(ended), 'number'],
    ['completed', ({ completed }) => count(completed), 'number'],
    ['median downtime', ({ downtime }) => duration(downtime?.medianNs), 'number'],
    [
      'p95',
      ({ downtime }) => (downtime?.runsDiffer === false ? 'the same' : duration(downtime?.p95Ns)),
      'number',
    ],
  ];
  fill(
    section,
    title,
    h('div.actions', cancel, json, records),
    describe && h('p', describe),
    why && h('p.quiet', why),
    figures([
      ['world', world],
      ['runs', `${count(runs.done)} / ${count(runs.all)}`],
      ['asked for', when(createdAt)],
      endedAt && ['ended', when(endedAt)],
    ]),
    h('h3', 'Cells'),
    table(
      'Cells',
      columns,
      cells,
      endedAt ? 'What its cells came to is not known; its records are there.' : 'Once all runs have ended.',
    ),
  );
}
