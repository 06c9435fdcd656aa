import { drawCourse } from './course-chart.js';
import { chip, figures, fill, h } from './dom.js';
import { duration, rate, size, when } from './format.js';
import { table } from './table.js';
import { between, endText } from './watched.js';

/**
 * All that is known of a machine whose migrations others carry out.
 * @param past what was seen of it, once that has been asked for
 */
export function drawWatchedMachine(section, { machine, past }) {
  const { name, state, why, progress, last } = machine;
  const course = past?.course ?? [];
  const canvas = h('canvas', { role: 'img', 'aria-label': courseInWords(course) });
  fill(
    section,
    h('div', h('h2', name), chip(state)),
    undefined,
    h('p.quiet', `monitor: ${machine.socket}`),
    why !== null && h('p.quiet', `${why}; it is tried again every second`),
    figures(figuresOf(machine)),
    course.length > 1 && h('h3', `What was left of ${progress ? 'this' : 'the last'} migration`),
    course.length > 1 && h('div.picture', canvas),
    progress?.predicted && h('h3', 'What the prediction leaves out'),
    progress?.predicted &&
      h(
        'ul.quiet',
        progress.predicted.leftOut.map((text) => h('li', text)),
      ),
    h('h3', 'Its migrations'),
    migrationTable(past?.migrations ?? (last ? [last] : [])),
  );
  if (course.length > 1) drawCourse(canvas, { course, progress, last });
}

function figuresOf({ status, progress }) {
  const { predicted, throttlePercent: throttle } = progress ?? {};
  return [
    ['QEMU says', status ?? '–'],
    ...(progress
      ? [
          ['began', when(progress.startedAt)],
          ['left', progress.leftBytes === null ? '–' : size(progress.leftBytes)],
          ['sent', progress.sentBytes === null ? '–' : size(progress.sentBytes)],
          ['sends', progress.rateBytesPerSecond === null ? '–' : rate(progress.rateBytesPerSecond)],
          ['dirties', progress.dirtyBytesPerSecond === null ? '–' : rate(progress.dirtyBytesPerSecond)],
          ['dirty syncs', String(progress.syncs ?? '–')],
          throttle && ['throttled by', `${throttle} %`],
          ['ends in', endText(progress)],
          ['downtime predicted', between(predicted?.downtimeNs)],
          ['QEMU expects', duration(progress.expectedDowntimeNs)],
        ]
      : []),
  ];
}

function courseInWords(course) {
  if (course.length < 2) return 'Nothing yet.';
  const [first, last] = [course[0], course.at(-1)];
  return `Left: ${size(first.leftBytes)} after ${duration(first.atNs)}, ${size(last.leftBytes)} after ${duration(last.atNs)}`;
}

function migrationTable(migrations) {
  const columns = [
    ['ended', ({ endedAt }) => when(endedAt), 'quiet'],
    ['outcome', ({ outcome, reason }) => [chip(outcome), reason !== null && h('div.quiet', reason)]],
    ['total', ({ totalNs }) => duration(totalNs), 'number'],
    ['first predicted', ({ firstPredicted }) => between(firstPredicted?.totalNs), 'number optional'],
    ['downtime', ({ downtimeNs }) => duration(downtimeNs), 'number'],
    ['first predicted', ({ firstPredicted }) => between(firstPredicted?.downtimeNs), 'number optional'],
    ['sent', ({ sentBytes }) => (sentBytes === null ? '–' : size(sentBytes)), 'number optional'],
  ];
  const none = 'None has been seen to end since this daemon began to watch.';
  return table('Its migrations', columns, migrations, none);
}
