import { ask } from './api.js';
import { connect } from './connection.js';
import { drawDetail, watchedInAddress } from './detail.js';
import { byId } from './dom.js';
import { timeOfDay, zone } from './format.js';
import { drawHistory } from './history.js';
import { drawComparisons, drawExperiments, drawGuests, drawMigrations, drawReservations } from './lists.js';
import { drawNow } from './now.js';
import { redrawer } from './redraw.js';
import { drawWatched } from './watched.js';

let state;
let pulse;
/** The watched machine that is looked at, with its past, which no event tells. */
let past;
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
    watched: drawWatched,
    degraded: drawDegraded,
    detail: drawDetail,
  },
  () => state && { ...state, pulse, past },
  () => lostSince !== null,
);

/** A full disk, for instance: as long as it is full, this is above everything else. */
function drawDegraded(banner, { degraded }) {
  banner.hidden = degraded === null;
  banner.textContent = `This daemon takes nothing new: ${degraded}`;
}

async function askForPast() {
  const name = watchedInAddress();
  if (name === undefined || !state?.watched.some((machine) => machine.name === name)) return;
  try {
    past = await ask('GET', `api/watched/${name}`);
    redraw('detail');
  } catch {
    // It is not watched any more, or the daemon is lost, and that is told already.
  }
}

addEventListener('hashchange', () => {
  redrawAll();
  void askForPast();
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
    void askForPast();
  },
  happened(kind, { id, name, value }) {
    if (!state) return;
    if (kind === 'pulse') {
      pulse = { id, value: { ...value, slices: [...recent(id, value.now), ...value.slices] } };
      return redraw('now');
    }
    if (kind === 'watched' || kind === 'unwatched') {
      state.watched = withMachine(state.watched, value, name);
      if (value?.name === watchedInAddress()) void askForPast();
      return redraw('watched', 'detail');
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

/** In its place, or last if it is new; or without the one that is gone. */
function withMachine(machines, machine, gone) {
  if (!machine) return machines.filter(({ name }) => name !== gone);
  const index = machines.findIndex(({ name }) => name === machine.name);
  return index < 0 ? [...machines, machine] : machines.with(index, machine);
}

/** In its place, or first if it is new. */
function withLatest(items, item) {
  const index = items.findIndex(({ id }) => id === item.id);
  if (index < 0) return [item, ...items].slice(0, 200);
  return items.with(index, item);
}
