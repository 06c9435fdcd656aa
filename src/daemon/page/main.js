import { connect } from './connection.js';
import { byId } from './dom.js';
import { drawHistory } from './history.js';
import { drawExperiments, drawGuests, drawLinks, drawMigrations } from './lists.js';
import { drawNow } from './now.js';

let state;
let pulse;
const stale = new Set();

const sections = {
  now: drawNow,
  guests: drawGuests,
  history: drawHistory,
  migrations: drawMigrations,
  experiments: drawExperiments,
  links: drawLinks,
  degraded: drawDegraded,
};

/** Events come in bursts, and a screen shows sixty pictures a second: each section is drawn once for each. */
function redraw(...names) {
  if (stale.size === 0) requestAnimationFrame(draw);
  for (const name of names) stale.add(name);
}

function draw() {
  if (pressed) return;
  for (const name of stale) keepingFocus(byId(name), sections[name]);
  stale.clear();
}

/** What is pressed must still be there when it is let go, or it was no click. */
let pressed = false;
addEventListener('pointerdown', () => {
  pressed = true;
  setTimeout(released, 1000);
});
for (const end of ['pointerup', 'pointercancel']) addEventListener(end, () => setTimeout(released));

function released() {
  pressed = false;
  draw();
}

/** Whoever goes from button to button by keyboard stays where they are. */
function keepingFocus(section, drawSection) {
  const focusable = () => [...section.querySelectorAll('a, button')];
  const index = focusable().indexOf(document.activeElement);
  drawSection(section, { ...state, pulse });
  if (index >= 0) focusable()[index]?.focus({ preventScroll: true });
}

/** A full disk, for instance: as long as it is full, this is above everything else. */
function drawDegraded(banner, { degraded }) {
  banner.hidden = degraded === null;
  banner.textContent = `This daemon takes nothing new: ${degraded}`;
}

const redrawAll = () => state && redraw(...Object.keys(sections));
addEventListener('resize', redrawAll);
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawAll);

connect({
  loaded(everything) {
    state = everything;
    byId('name').textContent = state.name;
    document.title = `${state.name} · Switchover`;
    byId('about').textContent = `Switchover ${state.version}`;
    byId('receives').textContent = `guests arrive at ${state.receives}`;
    redrawAll();
  },
  happened(kind, { id, value }) {
    if (!state) return;
    if (kind === 'pulse') {
      pulse = { id, value: { ...value, slices: [...recent(id, value.now), ...value.slices] } };
      redraw('now');
    } else if (kind === 'guests' || kind === 'links' || kind === 'degraded') {
      state[kind] = value;
      redraw(kind);
    } else {
      const all = `${kind}s`;
      state[all] = withLatest(state[all], value);
      redraw(all, ...(kind === 'migration' ? ['now', 'history'] : []));
    }
  },
  connection(text, mood) {
    byId('connection').textContent = text;
    byId('connection').className = `chip ${mood}`;
  },
});

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
