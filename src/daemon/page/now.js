import { attempt } from './connection.js';
import { chip, h } from './dom.js';
import { count, duration, rate, reservation, size } from './format.js';
import { drawGantt } from './gantt.js';

const PHASES = {
  connecting: 'is being set up',
  observing: 'watches what the guest writes',
  live: 'sends while the guest runs',
  stopped: 'the guest stands; sends the rest',
  'handing over': 'hands over',
  ended: 'ends',
};

/** The migration that runs, round by round, or the last one. */
export function drawNow(section, { migrations, pulse }) {
  const view = migrations.find(({ state }) => state === 'running') ?? migrations.find(({ record }) => record);
  if (!view) {
    section.replaceChildren(
      h('div', { class: 'head' }, h('h2', {}, 'No migration yet')),
      h('p', { class: 'empty' }, 'Choose “Migrate” beside a guest to move it to another host while it runs.'),
    );
    return;
  }
  const running = view.state === 'running';
  const { record } = view;
  const rounds = record?.rounds ?? view.progress?.rounds ?? [];
  const phase = view.progress?.phase ?? 'connecting';
  const cancel = h(
    'button',
    { class: 'danger', onclick: () => attempt('DELETE', `api/migrations/${view.id}`) },
    'Cancel',
  );
  const canvas = h('canvas', { class: 'gantt' });
  const own = pulse?.id === view.id ? pulse.value : undefined;
  const chart = h(
    'div',
    {},
    h('h3', {}, running ? 'Who has the processors' : 'Who had the processors'),
    own?.slices.length
      ? h('div', {}, canvas)
      : h('p', { class: 'empty' }, 'Recorded where programs compete for a processor, or one is reserved.'),
  );
  section.replaceChildren(
    h(
      'div',
      { class: 'head' },
      h(
        'div',
        {},
        h('h2', {}, `${view.guest} → ${view.to}`),
        chip(view.state),
        h('span', { class: 'quiet' }, running ? PHASES[phase] : (view.why ?? '')),
      ),
      running && cancel,
    ),
    h(
      'dl',
      { class: 'figures' },
      ...figures(view).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
    ),
    h(
      'div',
      { class: 'now' },
      h('div', {}, h('h3', {}, 'Rounds'), roundList(view, rounds), running && own?.link && bucket(own.link)),
      chart,
    ),
  );
  if (own?.slices.length) drawGantt(canvas, own);
}

/** What may leave at once: it fills with b, and every byte that leaves takes one. */
function bucket({ levelBytes, depthBytes, sentBytes, reservedBytesPerSecond }) {
  if (levelBytes === null) return undefined;
  const full = (100 * levelBytes) / depthBytes;
  return h(
    'div',
    {},
    h('h3', {}, `Bucket, fills at ${rate(reservedBytesPerSecond)}`),
    h('span', { class: 'bar' }, h('i', { class: 'level', style: { width: `${full}%` } })),
    h(
      'p',
      { class: 'quiet' },
      `${size(levelBytes)} of ${size(depthBytes)} may leave at once; ${size(sentBytes)} have left`,
    ),
  );
}

function figures({ record, predicted, pages, progress }) {
  if (!record) {
    const sent = progress?.rounds.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;
    return [
      ['predicted downtime', duration(predicted?.downtimeNs)],
      ['predicted total', duration(predicted?.totalNs)],
      ['pages', count(pages)],
      ['sent in whole rounds', size(sent)],
      ['dirty when last seen', progress?.dirtyPages == null ? '–' : count(progress.dirtyPages)],
    ];
  }
  const { plan, reservations } = record;
  return [
    ['downtime', duration(record.downtimeNs)],
    ['predicted', duration(predicted?.downtimeNs)],
    ['total', duration(record.totalNs)],
    ['b, b_d', `${rate(plan.rateBytesPerSecond)}, ${rate(plan.stopRateBytesPerSecond)}`],
    ['sender’s CPU', reservations.sender ? reservation(reservations.sender) : reservations.scheduler],
    ['guest is', record.owner === 'destination' ? 'there' : record.owner === 'source' ? 'here' : 'unknown'],
  ];
}

function roundList({ record, pages }, rounds) {
  if (rounds.length === 0 && !record?.stop.pages)
    return h('p', { class: 'empty' }, 'The first round is on its way.');
  const row = (name, part, dirty, text, more) => [
    h('span', {}, name),
    h(
      'span',
      { class: 'bar', title: text },
      h('i', { style: { width: `${(100 * part) / pages}%` } }),
      h('i', { class: 'dirty', style: { width: `${(100 * Math.max(0, dirty)) / pages}%` } }),
    ),
    h('span', { class: 'number' }, text),
    h('span', { class: 'quiet optional' }, more),
  ];
  return h(
    'div',
    {},
    h(
      'div',
      { class: 'rounds' },
      ...rounds.flatMap(({ round, sentPages, durationNs, bytes }) =>
        row(
          `${round}`,
          sentPages,
          0,
          `${count(sentPages)} sent`,
          `${duration(durationNs)}, ${rate((bytes * 1e9) / Math.max(1, durationNs))}`,
        ),
      ),
      ...(record?.stop.pages
        ? row(
            'stop',
            0,
            record.stop.pages,
            `${count(record.stop.pages)} sent`,
            `${duration(record.stop.durationNs)}, guest stands`,
          )
        : []),
    ),
  );
}
