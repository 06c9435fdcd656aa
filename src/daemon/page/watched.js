import { chip, fill, h } from './dom.js';
import { duration, rate, size, when } from './format.js';
import { table } from './table.js';

/** Machines of others: what goes on with each, and what is predicted. */
export function drawWatched(section, { watched }) {
  section.hidden = watched.length === 0;
  const columns = [
    ['machine', ({ name }) => h('a', { href: `#/watched/${name}`, 'data-key': name }, name)],
    ['state', (machine) => [chip(machine.state), stateInWords(machine)]],
    ['left', ({ progress }) => leftText(progress), 'number optional'],
    ['ends in', ({ progress }) => endText(progress), 'number'],
    ['downtime predicted', ({ progress }) => between(progress?.predicted?.downtimeNs), 'number optional'],
    ['last downtime', ({ last }) => duration(last?.downtimeNs), 'number optional'],
  ];
  const note = h('span.quiet', 'migrations that others carry out');
  fill(section, 'Watched machines', note, table('Watched machines', columns, watched, ''));
}

/** Why it cannot be asked; how it goes; how its last migration ended, if it is known. */
function stateInWords({ why, progress, last, status }) {
  if (why !== null) return h('div.quiet', why);
  if (progress) return h('div.quiet', `${progress.status}, ${duration(progress.atNs)}`);
  if (last) return h('div.quiet', last.outcome, ' ', when(last.endedAt));
  return status !== null && status !== 'none' && h('div.quiet', `its last migration: ${status}`);
}

function leftText(progress) {
  if (!progress || progress.leftBytes === null) return '–';
  const sent = progress.rateBytesPerSecond;
  return [size(progress.leftBytes), sent !== null && h('div.quiet', rate(sent))];
}

/** When a migration is predicted to end, from now on; how sure that is, unless it is certain. */
export function endText(progress) {
  if (!progress) return '–';
  const { predicted, atNs } = progress;
  if (!predicted) return 'in post-copy';
  if (predicted.endsByItself === null) return 'not known yet';
  const percent = Math.round(100 * predicted.endsByItself);
  if (!predicted.totalNs) return [chip('never by itself', 'bad'), h('div.quiet', `${percent} %`)];
  const left = { ...predicted.totalNs };
  for (const quantile of Object.keys(left)) left[quantile] = Math.max(0, left[quantile] - atNs);
  return [...between(left), percent < 100 && h('div.quiet', `if at all: ${percent} %`)];
}

/** The median, and the interval that has 90 %. */
export function between(quantiles) {
  if (!quantiles) return ['–'];
  const { p5, p50, p95 } = quantiles;
  if (p5 === p95) return [duration(p50)];
  return [duration(p50), h('div.quiet', `${duration(p5)} to ${duration(p95)}`)];
}
