import { chip, h } from './dom.js';
import { count, duration, rate, spread } from './format.js';
import { table } from './table.js';

/** What was promised to a migration, and what came of it. */

export const verdicts = {
  kept: { word: 'kept', mood: 'good' },
  broken: { word: 'broken', mood: 'bad' },
  none: { word: 'nothing promised', mood: 'plain' },
};

export function verdictOf({ promises }) {
  if (!promises || promises.kept === null) return 'none';
  return promises.kept ? 'kept' : 'broken';
}

/** In one word, in the colour of whether it was kept. */
export function verdictChip(migration) {
  if (!migration.promises) return '–';
  const { word, mood } = verdicts[verdictOf(migration)];
  return chip(word, mood);
}

/** How much below its bound it was; negative: above. */
export function marginOf({ promises }) {
  return duration(promises?.downtime?.marginNs);
}

/** Every promise with what it was and what was measured. */
export function promiseList({ promises }) {
  const rows = [
    promises.downtime && {
      what: `sending the ${count(promises.downtime.pages)} pages left, with the guest paused`,
      promised: `at most ${duration(promises.downtime.boundNs)}`,
      measured: duration(promises.downtime.measuredNs),
      kept: promises.downtime.kept,
    },
    ...promises.cpu.map(({ server, periods, missedPeriods, missedByMachine, kept }) => ({
      what: `CPU time of the ${server}`,
      promised: `in at least 95 % of ${count(periods)} periods`,
      measured: `${count(missedPeriods)} missed, ${count(missedByMachine)} of them by the machine`,
      kept,
    })),
    promises.link && {
      what: 'the rate on the link',
      promised: rate(promises.link.grantedBytesPerSecond),
      measured: linkMeasured(promises.link),
      kept: promises.link.kept,
    },
  ].filter(Boolean);
  const columns = [
    ['promise', ({ what }) => what],
    ['promised', ({ promised }) => promised],
    ['measured', ({ measured }) => measured],
    ['', ({ kept }) => chip(kept ? 'kept' : 'broken', kept ? 'good' : 'bad')],
  ];
  return table('Promises', columns, rows, 'Nothing was reserved for it, so nothing was promised.');
}

function linkMeasured({ shortfalls, isRevoked }) {
  if (isRevoked) return 'some was taken back';
  if (shortfalls.length === 0) return 'not exceeded, and carried';
  return shortfalls
    .map(
      ({ phase, achievedBytesPerSecond }) =>
        `${rate(achievedBytesPerSecond)} in the ${phase === 'stop' ? 'pause' : 'live rounds'}`,
    )
    .join(', ');
}

/** Migrations with a guarantee beside the same without. */
export function comparisonTable(comparisons) {
  const columns = [
    ['guest', ({ guest, to }) => `${guest} → ${to}`],
    ['sending what is left: with', ({ guaranteed }) => [spread(guaranteed.memory), migrationsOf(guaranteed)]],
    ['without the guarantee', ({ unguaranteed }) => withoutOf(unguaranteed, 'memory')],
    ['whole downtime: with', ({ guaranteed }) => spread(guaranteed.downtime), 'optional'],
    ['without', ({ unguaranteed }) => withoutOf(unguaranteed, 'downtime'), 'optional'],
    ['promises', ({ kept, broken }) => chip(`${kept} of ${kept + broken} kept`, broken > 0 ? 'bad' : 'good')],
  ];
  return table('What the guarantees did', columns, comparisons, 'No migration with a CPU reservation yet.');
}

function migrationsOf({ migrations: { length } }) {
  return h('div.quiet', `${length} measured`);
}

function withoutOf(unguaranteed, part) {
  if (!unguaranteed) return 'being computed';
  const { by, [part]: figures } = unguaranteed;
  if (!figures) return '–';
  return [spread(figures), by === 'measurement' ? migrationsOf(unguaranteed) : h('div.quiet', by)];
}
