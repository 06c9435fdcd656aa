import { chip, colour, figures, fill, h } from './dom.js';
import { csvOf, savePicture, saveText } from './export.js';
import { count, duration, rate, reservation, size, spread, when } from './format.js';
import { cancelMigration, isUnderWay } from './lists.js';
import { comparisonTable, promiseList, verdictChip } from './promises.js';
import { drawRounds } from './rounds-chart.js';
import { table } from './table.js';
import { targetList } from './targets.js';

/** In the order in which they follow each other, and what each is. */
const PARTS = {
  dirtyScanNs: ['dirty scan', 'finding the dirty pages'],
  memoryNs: ['memory', 'sending the pages that are left'],
  deviceNs: ['devices', 'the state of devices'],
  stateNs: ['state', 'comparing digests of what was sent'],
  verifyNs: ['verify', 'hashing all memory at both ends'],
  commitNs: ['commit', 'giving the guest away'],
  resumeNs: ['resume', 'starting the guest there'],
};

/** All that is known of one migration. */
export function drawMigration(section, { migration, comparisons }) {
  const { record, state, why } = migration;
  const title = h(
    'div',
    h('h2', `${migration.guest} → ${migration.to}`),
    chip(state),
    verdictChip(migration),
  );
  const canvas = h('canvas', { role: 'img', 'aria-label': roundsInWords(migration) });
  const beside = h(
    'div.actions',
    isUnderWay(migration) && cancelMigration(migration),
    ...exports(migration, canvas),
  );
  const own = comparisons.filter(({ guaranteed, unguaranteed }) =>
    [...guaranteed.migrations, ...(unguaranteed?.migrations ?? [])].includes(migration.id),
  );
  fill(
    section,
    title,
    beside,
    why && h('p.quiet', why),
    figures(figuresOf(migration)),
    migration.target && h('h3', 'Target'),
    migration.target && targetList(migration),
    record && h('h3', 'Promises'),
    record && promiseList(migration),
    own.length > 0 && h('h3', 'With the guarantee and without'),
    own.length > 0 && comparisonTable(own),
    record && h('h3', 'Rounds'),
    record?.rounds.length > 0 && h('div.picture', canvas),
    record && roundTable(record),
    record && h('h3', 'Parts of the downtime'),
    record && partTable(record),
    h('h3', 'Log'),
    logTable(migration),
    record && recordText(record),
  );
  if (record?.rounds.length > 0) drawRounds(canvas, record);
}

function figuresOf({ record, predicted, unguaranteed, createdAt, startedAt, endedAt, pages }) {
  const { plan, reservations } = record ?? {};
  return [
    record && ['downtime', duration(record.downtimeNs || undefined)],
    ['predicted', duration(predicted?.downtimeNs)],
    predicted?.downtimeBoundNs !== undefined && [
      'bound predicted (0.99)',
      duration(predicted.downtimeBoundNs),
    ],
    unguaranteed?.downtime && [
      'sending what is left without, in virtual time',
      spread(unguaranteed.downtime),
    ],
    record && ['total', duration(record.totalNs || undefined)],
    ['pages', count(pages)],
    plan && ['b, b_d', `${rate(plan.rateBytesPerSecond)}, ${rate(plan.stopRateBytesPerSecond)}`],
    reservations && ['guest’s CPU', reservation(reservations.guest)],
    reservations && ['sender’s CPU', reservation(reservations.sender)],
    reservations && ['scheduler', `${reservations.scheduler}, ${count(reservations.hogs)} hogs`],
    ['asked for', when(createdAt)],
    startedAt && ['began', when(startedAt)],
    endedAt && ['ended', when(endedAt)],
  ];
}

function roundsInWords({ record }) {
  if (!record) return 'No rounds yet.';
  const rounds = record.rounds.map(
    ({ round, sentPages, durationNs }) => `round ${round}: ${sentPages} pages in ${duration(durationNs)}`,
  );
  return [...rounds, `stop: ${record.stop.pages} pages in ${duration(record.stop.durationNs)}`].join('; ');
}

function roundTable({ rounds, stop }) {
  const rows = [...rounds, { round: 'stop', ...stop, dirtyPages: stop.pages, sentPages: stop.pages }];
  const columns = [
    ['round', ({ round }) => String(round)],
    ['dirty at its beginning', ({ dirtyPages }) => count(dirtyPages), 'number'],
    ['sent', ({ sentPages }) => count(sentPages), 'number'],
    [
      'deferred',
      ({ deferredPages }) => (deferredPages === undefined ? '–' : count(deferredPages)),
      'number optional',
    ],
    ['bytes', ({ bytes }) => size(bytes), 'number optional'],
    ['took', ({ durationNs }) => duration(durationNs), 'number'],
  ];
  return table('Rounds', columns, rows, '');
}

function partTable({ downtimeParts, downtimeNs }) {
  const rows = Object.entries(PARTS).map(([key, [name, what]]) => ({ name, what, ns: downtimeParts[key] }));
  const share = ({ ns }) => (downtimeNs > 0 ? (100 * ns) / downtimeNs : 0);
  const columns = [
    ['part', ({ name }) => name],
    ['is', ({ what }) => what, 'quiet optional'],
    ['took', ({ ns }) => duration(ns), 'number'],
    ['share', (row) => `${share(row).toFixed(0)} %`, 'number'],
  ];
  return table('Parts of the downtime', columns, rows, '');
}

function logTable({ log }) {
  const columns = [
    ['when', ({ at }) => when(at), 'quiet'],
    ['line', ({ line }) => line],
  ];
  return table('Log', columns, log, 'It has not begun.');
}

function recordText(record) {
  const text = h('pre', { tabindex: 0 }, JSON.stringify(record, null, 2));
  return h('details', h('summary', 'The record'), text);
}

function exports({ id, guest, record }, canvas) {
  if (!record) return [];
  const name = `${guest}-${id.slice(0, 8)}`;
  const button = (text, what, act) =>
    h('button', { onclick: act, 'aria-label': what, 'data-key': text }, text);
  return [
    h('a.button', { href: `api/migrations/${id}`, download: `${name}.json`, 'data-key': 'json' }, 'JSON'),
    button('CSV', 'CSV of the rounds', () => saveText(`${name}.csv`, roundsCsv(record), 'text/csv')),
    record.rounds.length > 0 &&
      button('PNG', 'PNG of the chart', () => savePicture(`${name}.png`, canvas, colour('card'))),
  ].filter(Boolean);
}

const COLUMNS = [
  'round',
  'dirtyPages',
  'sentPages',
  'deferredPages',
  'skippedPages',
  'zeroPages',
  'bytes',
  'durationNs',
];

function roundsCsv({ rounds, stop }) {
  const last = {
    round: 'stop',
    dirtyPages: stop.pages,
    sentPages: stop.pages,
    bytes: stop.bytes,
    durationNs: stop.durationNs,
  };
  return csvOf(
    COLUMNS,
    [...rounds, last].map((round) => COLUMNS.map((column) => round[column])),
  );
}
