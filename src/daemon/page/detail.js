import { byId, h } from './dom.js';
import { drawExperiment } from './experiment-page.js';
import { drawMigration } from './migration-page.js';
import { drawWatchedMachine } from './watched-page.js';

/**
 * The address says which migration, experiment or watched machine is looked at, or which instant the last migration before
 * it; without one, all of the host is.
 */
export function drawDetail(section, all) {
  const draw = drawingOf(all);
  byId('overview').hidden = draw !== undefined;
  byId('detail-page').hidden = draw === undefined;
  if (draw) draw(section);
  else section.replaceChildren();
}

/** undefined: the address names nothing. */
function drawingOf(all) {
  const watched = watchedInAddress();
  if (watched !== undefined) {
    const machine = all.watched.find(({ name }) => name === watched);
    const past = all.past?.name === watched ? all.past : undefined;
    return machine ? (section) => drawWatchedMachine(section, { machine, past }) : drawUnknown;
  }
  const [, kind, id, at] =
    /^#\/(migrations|experiments)\/(?:([\w-]{10,})|at\/(\d{1,15}))$/.exec(location.hash) ?? [];
  if (kind === undefined) return undefined;
  const found = id === undefined ? lastBefore(all[kind], Number(at)) : all[kind].find((one) => one.id === id);
  if (!found) return drawUnknown;
  return kind === 'migrations'
    ? (section) => drawMigration(section, { ...all, migration: found })
    : (section) => drawExperiment(section, { ...all, experiment: found });
}

/** The name of the watched machine that is looked at. */
export function watchedInAddress() {
  return /^#\/watched\/([\w.-]{1,63})$/.exec(location.hash)?.[1];
}

function drawUnknown(section) {
  section.replaceChildren(h('p.empty', 'It is not known here, or not any more.'));
}

/** What a point of a dashboard tells of: figures come with the migration that ended last. */
function lastBefore(items, atMs) {
  const ended = items.filter(({ endedAt }) => endedAt && Date.parse(endedAt) <= atMs);
  return ended.reduce((last, one) => (!last || one.endedAt > last.endedAt ? one : last), undefined);
}
