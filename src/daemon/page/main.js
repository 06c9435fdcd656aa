import { ask } from './api.js';
import { connect } from './connection.js';
import { byId, h } from './dom.js';
import { drawExperiment } from './experiment-page.js';
import { timeOfDay, zone } from './format.js';
import { drawHistory } from './history.js';
import { drawComparisons, drawExperiments, drawGuests, drawMigrations, drawReservations } from './lists.js';
import { drawMigration } from './migration-page.js';
import { drawNow } from './now.js';
import { redrawer } from './redraw.js';

let state;
let pulse;
/** Since when nothing was heard of the daemon; null: it is there. */
let lostSince = null;

const { redraw, redrawAll } = redrawer(
  {
    now: drawNow,
    comparisons: drawComparisons,
    guests: drawGuests,
    history: drawHistory,
    migrations: drawMigrations,
    experiments: drawExperiments,
    reservations: drawReservations,
    degraded: drawDegraded,
    detail: drawDetail,
  },
  () => state && { ...state, pulse },
  () => lostSince !== null,
);

/** A full disk, for instance: as long as it is full, this is above everything else. */
function drawDegraded(banner, { degraded }) {
  banner.hidden = degraded === null;
  banner.textContent = `This daemon takes nothing new: ${degraded}`;
}

/**
 * The address says which migration or experiment is looked at, or which instant the last migration before it; without
 * one, all of the host is.
 */
function drawDetail(section, all) {
  const [, kind, id, at] =
    /^#\/(migrations|experiments)\/(?:([\w-]{10,})|at\/(\d{1,15}))$/.exec(location.hash) ?? [];
  byId('overview').hidden = kind !== undefined;
  byId('detail-page').hidden = kind === undefined;
  if (kind === undefined) return section.replaceChildren();
  const found = id === undefined ? lastBefore(all[kind], Number(at)) : all[kind].find((one) => one.id === id);
  if (!found) section.replaceChildren(h('p.empty', 'It is not known here, or not any more.'));
  else if (kind === 'migrations') drawMigration(section, { ...all, migration: found });
  else drawExperiment(section, { ...all, experiment: found });
}

/** What a point of a dashboard tells of: figures come with the migration that ended last. */
function lastBefore(items, atMs) {
  const ended = items.filter(({ endedAt }) => endedAt && Date.parse(endedAt) <= atMs);
  return ended.reduce((last, one) => (!last || one.endedAt > last.endedAt ? one : last), undefined);
}

addEventListener('hashchange', () => {
  redrawAll();
  scrollTo(0, 0);
  byId('main').focus({ preventScroll: true });
});
addEventListener('resize', redrawAll);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawAll);
byId('skip').addEventListener('click', (event) => {
  event.preventDefault();
  byId('main').focus();
});
byId('zone').textContent = `times in ${zone()}`;

connect({
  loaded(everything) {
    state = { comparisons: [], ...everything };
    byId('name').textContent = state.name;
    byId('about').textContent = `Switchover ${state.version}`;
    byId('receives').textContent = `guests arrive at ${state.receives}`;
    redrawAll();
    void askForTheRest();
  },
  happened(kind, { id, value }) {
    if (!state) return;
    if (kind === 'pulse') {
      pulse = { id, value: { ...value, slices: [...recent(id, value.now), ...value.slices] } };
      return redraw('now');
    }
    if (kind === 'guests' || kind === 'links' || kind === 'degraded') {
      state[kind] = value;
      redraw(kind === 'links' ? 'reservations' : kind);
    } else {
      const all = `${kind}s`;
      state[all] = withLatest(state[all], value);
      redraw(all, 'detail', ...(kind === 'migration' ? ['now', 'history'] : []));
    }
    askSoon();
  },
  lost(since) {
    lostSince = since;
    document.body.classList.toggle('lost', since !== null);
    byId('connection').textContent = since ? 'lost' : 'live';
    byId('connection').className = `chip ${since ? 'bad' : 'good'}`;
    byId('lost').hidden = since === null;
    byId('lost').textContent = since
      ? `Nothing was heard of this daemon since ${timeOfDay(since)}. What is below is how it was then.`
      : '';
    document.title = `${since ? 'lost: ' : ''}${state?.name ?? 'Switchover'} · Switchover`;
    redrawAll();
  },
});

/** What no event tells: it follows from what has changed, and is asked for a little later, once for all changes. */
let isAsking = false;
function askSoon() {
  if (isAsking) return;
  isAsking = true;
  setTimeout(() => {
    isAsking = false;
    void askForTheRest();
  }, 300);
}

async function askForTheRest() {
  try {
    const [comparisons, cpu] = await Promise.all([ask('GET', 'api/comparisons'), ask('GET', 'api/cpu')]);
    Object.assign(state, { comparisons, cpu });
    redraw('comparisons', 'reservations', 'history', 'detail');
  } catch {
    // The daemon is lost, and that is told already; once it is back, everything is asked for.
  }
}

/** As much of the processors' past as is shown; a pulse tells only what is new. */
const SHOWN_NS = 3e9;

function recent(id, now) {
  if (pulse?.id !== id) return [];
  return pulse.value.slices.filter(({ endNs }) => endNs > now - SHOWN_NS);
}

/** In its place, or first if it is new. */
function withLatest(items, item) {
  const index = items.findIndex(({ id }) => id === item.id);
  if (index < 0) return [item, ...items].slice(0, 200);
  return items.with(index, item);
}
