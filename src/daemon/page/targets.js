import { chip, h } from './dom.js';
import { count, duration } from './format.js';
import { table } from './table.js';

/** What a migration was to keep, what was planned for it, and what came of it. */

/** What was chosen, by the keys of a request. */
export function plannedWords({ settings }) {
  const words = (value) => (typeof value === 'object' ? Object.values(value).join(' ') : value);
  return Object.entries(settings)
    .filter(([path]) => path !== 'migration.timeout')
    .map(([path, value]) => `${path} ${words(value)}`)
    .join(', ');
}

/** How sure it is, in virtual time. */
export function certificateWords({ certificate: { runs, kept, lowerBound, confidence } }) {
  const share = `${(100 * lowerBound).toFixed(2)} %`;
  return `kept in ${count(kept)} of ${count(runs)} migrations in virtual time: in at least ${share} of all, with ${100 * confidence} % confidence`;
}

/** Each limit with what was measured, and why it was thought to be kept. */
export function targetList({ target, targetVerdict, record }) {
  const rows = target.clauses.map((clause, index) => ({ ...clause, ...targetVerdict?.clauses[index] }));
  const columns = [
    ['target', ({ metric }) => metric],
    ['limit', ({ limitNs }) => duration(limitNs), 'number'],
    ['in at least', ({ probability }) => `${100 * probability} %`, 'number optional'],
    ['measured', ({ measuredNs }) => duration(measuredNs), 'number'],
    ['margin', ({ marginNs }) => duration(marginNs), 'number'],
    ['', ({ kept }) => verdict(kept, record)],
  ];
  return h(
    'div',
    table('Target', columns, rows, ''),
    h('p.quiet', `Planned: ${plannedWords(target)}.`),
    h('p.quiet', `Certificate: ${certificateWords(target)}. Left out: ${target.leftOut.join('; ')}.`),
    h('p.quiet', `With a tenth less of one reservation: ${cutWords(target)}.`),
  );
}

function verdict(kept, record) {
  if (kept === undefined) return record ? 'not held against it' : '–';
  return chip(kept ? 'kept' : 'missed', kept ? 'good' : 'bad');
}

function cutWords({ sensitivity }) {
  const words = ({ cut, runs, kept, missed }) =>
    `${cut} ${missed ? 'misses' : 'still keeps'} it (${count(kept)} of ${count(runs)})`;
  return sensitivity.map(words).join(', ');
}
