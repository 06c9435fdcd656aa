import { bar, chip, figures as figureList, fill, h } from './dom.js';
import { count, duration, rate, reservation, size } from './format.js';
import { drawGantt } from './gantt.js';
import { barRow, cancelMigration } from './lists.js';
import { marginOf, verdictChip } from './promises.js';

const PHASES = {
  connecting: 'is being set up',
  observing: 'watches what the guest writes',
  live: 'sends while the guest runs',
  stopped: 'the guest is paused; sends the rest',
  'handing over': 'hands over',
  ended: 'ends',
};

/** The migration that runs, round by round, or the last one. */
export function drawNow(section, { migrations, guests, pulse }) {
  const view = migrations.find(({ state }) => state === 'running') ?? migrations.find(({ record }) => record);
  if (!view) {
    const hint = 'Choose “Migrate” beside a guest to move it to another host while it runs.';
    return fill(section, 'No migration yet', undefined, h('p.empty', hint));
  }
  const running = view.state === 'running';
  const phase = view.progress?.phase ?? 'connecting';
  const own = pulse?.id === view.id ? pulse.value : undefined;
  const live = running && phase === 'live' && own?.link && roundUnderWay(view, own.link, guests);
  const said = h('span.quiet', running ? PHASES[phase] : (view.why ?? ''));
  const title = h('div', h('h2', `${view.guest} → ${view.to}`), chip(view.state), said);
  const details = h('a.button', { href: `#/migrations/${view.id}`, 'data-key': 'details' }, 'Details');
  const rounds = h('div', h('h3', 'Rounds'), roundList(view, live), running && own?.link && bucket(own.link));
  const canvas = h('canvas', {
    role: 'img',
    'aria-label': 'Who had the processors in the last three seconds',
  });
  const none = 'Recorded where programs compete for a processor, or one is reserved.';
  const slices = own?.slices.length ? h('div', canvas) : h('p.empty', none);
  const chart = h('div', h('h3', `Who ${running ? 'has' : 'had'} the processors`), slices);
  fill(
    section,
    title,
    h('div.actions', running && cancelMigration(view), details),
    figureList(figures(view, own)),
    h('div.now', rounds, chart),
  );
  if (own?.slices.length) drawGantt(canvas, own);
}

/** What may leave at once: it fills with b, and every byte that leaves takes one. */
function bucket({ levelBytes, depthBytes, sentBytes, reservedBytesPerSecond }) {
  if (levelBytes === null) return undefined;
  const text = `${size(levelBytes)} of ${size(depthBytes)} may leave at once; ${size(sentBytes)} have left`;
  const title = `Bucket, fills at ${rate(reservedBytesPerSecond)}`;
  return h('div', h('h3', title), bar('', [(100 * levelBytes) / depthBytes, 'level']), h('p.quiet', text));
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

/** What the model's figures do not contain, if there is anything. */
function leftOut(predicted) {
  return predicted?.leftOut?.length ? [['prediction leaves out', predicted.leftOut.join('; ')]] : [];
}

function figures(view, pulse) {
  const { record, predicted, pages, progress } = view;
  const bound = predicted?.downtimeBoundNs;
  if (!record) {
    return [
      ['predicted downtime', duration(predicted?.downtimeNs)],
      bound !== undefined && ['bound predicted (0.99)', duration(bound)],
      ['predicted total', duration(predicted?.totalNs)],
      ...leftOut(predicted),
      ['pages', count(pages)],
      ['sent', size(pulse?.link?.sentBytes ?? bytesOf(progress?.rounds ?? []))],
      ['dirty when last seen', progress?.dirtyPages == null ? '–' : count(progress.dirtyPages)],
    ];
  }
  const { plan, reservations } = record;
  return [
    // A guest that was not paused has no downtime, which is not one of 0 ns.
    ['downtime', duration(record.downtimeNs || undefined)],
    ['predicted', duration(predicted?.downtimeNs)],
    ...leftOut(predicted),
    ['promises', verdictChip(view)],
    view.promises?.downtime && [
      'margin of the bound',
      `${marginOf(view)} of ${duration(view.promises.downtime.boundNs)}`,
    ],
    ['total', duration(record.totalNs || undefined)],
    ['b, b_d', `${rate(plan.rateBytesPerSecond)}, ${rate(plan.stopRateBytesPerSecond)}`],
    ['sender’s CPU', reservations.sender ? reservation(reservations.sender) : 'not reserved'],
    [
      'guest is',
      record.owner === 'destination' ? 'at the destination' : record.owner === 'source' ? 'here' : 'unknown',
    ],
  ];
}

function roundList({ record, pages, progress }, live) {
  const rounds = record?.rounds ?? progress?.rounds ?? [];
  const stop = record?.stop.pages ? record.stop : undefined;
  if (rounds.length === 0 && !live && !stop) return h('p.empty', 'Nothing has been sent yet.');
  const row = (name, sent, dirty, text, more) => {
    const parts = bar(text, [(100 * sent) / pages], [(100 * dirty) / pages, 'dirty']);
    return barRow(`${name}`, parts, text, more);
  };
  const ended = ({ round, sentPages, durationNs, bytes }) => {
    const speed = rate((bytes * 1e9) / Math.max(1, durationNs));
    return row(round, sentPages, 0, `${count(sentPages)} sent`, `${duration(durationNs)}, ${speed}`);
  };
  return h(
    'div.rounds',
    rounds.flatMap(ended),
    live && row(live.round, live.pages, live.left, `${count(live.left)} to go`, size(live.bytes)),
    stop &&
      row('stop', 0, stop.pages, `${count(stop.pages)} sent`, `${duration(stop.durationNs)}, guest paused`),
  );
}
