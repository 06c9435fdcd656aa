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
export function drawNow(section, { migrations, guests, pulse }) {
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
  const live = running && phase === 'live' && own?.link && roundUnderWay(view, own.link, guests);
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
      ...figures(view, own).map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
    ),
    h(
      'div',
      { class: 'now' },
      h(
        'div',
        {},
        h('h3', {}, 'Rounds'),
        roundList(view, rounds, live),
        running && own?.link && bucket(own.link),
      ),
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

/** What the latest round has sent so far of what was dirty when it began. */
function roundUnderWay({ guest, progress }, { sentBytes }, guests) {
  const { pageSizeBytes } = guests.find(({ name }) => name === guest) ?? {};
  if (!pageSizeBytes) return undefined;
  const { rounds, dirtyPages } = progress;
  const bytes = Math.max(0, sentBytes - bytesOf(rounds));
  const pages = Math.min(dirtyPages, Math.floor(bytes / pageSizeBytes));
  return { round: rounds.length + 1, pages, left: dirtyPages - pages, bytes };
}

function bytesOf(rounds) {
  return rounds.reduce((sum, { bytes }) => sum + bytes, 0);
}

function figures({ record, predicted, pages, progress }, pulse) {
  if (!record) {
    return [
      ['predicted downtime', duration(predicted?.downtimeNs)],
      ['predicted total', duration(predicted?.totalNs)],
      ['pages', count(pages)],
      ['sent', size(pulse?.link?.sentBytes ?? bytesOf(progress?.rounds ?? []))],
      ['dirty when last seen', progress?.dirtyPages == null ? '–' : count(progress.dirtyPages)],
    ];
  }
  const { plan, reservations } = record;
  return [
    ['downtime', duration(record.downtimeNs)],
    ['predicted', duration(predicted?.downtimeNs)],
    ['total', duration(record.totalNs)],
    ['b, b_d', `${rate(plan.rateBytesPerSecond)}, ${rate(plan.stopRateBytesPerSecond)}`],
    ['sender’s CPU', reservations.sender ? reservation(reservations.sender) : 'not reserved'],
    ['guest is', record.owner === 'destination' ? 'there' : record.owner === 'source' ? 'here' : 'unknown'],
  ];
}

function roundList({ record, pages }, rounds, live) {
  if (rounds.length === 0 && !live && !record?.stop.pages)
    return h('p', { class: 'empty' }, 'Nothing has been sent yet.');
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
      ...(live
        ? row(`${live.round}`, live.pages, live.left, `${count(live.left)} to go`, size(live.bytes))
        : []),
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
