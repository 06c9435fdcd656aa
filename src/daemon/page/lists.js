import { attempt } from './connection.js';
import { startExperiment, startMigration } from './dialogs.js';
import { bar, chip, fill, h } from './dom.js';
import { count, duration, rate, reservation, size, when } from './format.js';
import { table } from './table.js';

/** Of what has been: the latest so many. */
const MOST_SHOWN = 50;

/** Guests, and what can be done with each. */
export function drawGuests(section, state) {
  const columns = [
    ['guest', (guest) => [h('strong', guest.name), h('div.quiet', programOf(guest))]],
    ['CPU', (guest) => reservation(guest.reservation), 'optional'],
    ['state', ({ state: is, owner }) => [chip(is), is === 'died' && h('div.quiet', `owner: ${owner}`)]],
    ['', (guest) => h('div.actions', actionsFor(guest, state))],
  ];
  const peers = state.peers.map(({ name, address }) => `${name}: ${address}`);
  const guests = table(columns, state.guests, 'No guests on this host.');
  fill(section, 'Guests', h('span.quiet', peers.join(', ')), guests);
}

function programOf({ program, pages, pageSizeBytes }) {
  return `${program}, ${size(pages * pageSizeBytes)}`;
}

function actionsFor(guest, state) {
  const path = `api/guests/${guest.name}`;
  const act = (text, method, where) => h('button', { onclick: () => attempt(method, where) }, text);
  const migrate = () => h('button.main', { onclick: () => startMigration(guest, state) }, 'Migrate');
  switch (guest.state) {
    case 'running':
      return [act('Pause', 'POST', `${path}/pause`), migrate()];
    case 'paused':
      return [act('Resume', 'POST', `${path}/resume`), migrate()];
    case 'died':
      return [act('Forget', 'DELETE', path)];
    default:
      return [];
  }
}

export function drawMigrations(section, { migrations }) {
  const downtime = ({ state, record }) => (state === 'completed' ? duration(record.downtimeNs) : '–');
  const guarantee = ({ id, state, record }) => {
    if (state === 'waiting') return cancel(`api/migrations/${id}`);
    return h('span.quiet', record ? guaranteeOf(record.reservations) : '');
  };
  const columns = [
    ['when', ({ endedAt, createdAt }) => when(endedAt ?? createdAt), 'quiet'],
    ['guest', ({ guest, to }) => `${guest} → ${to}`],
    ['outcome', ({ state }) => chip(state)],
    ['downtime', downtime, 'number'],
    ['sender’s CPU', guarantee, 'optional'],
  ];
  const latest = table(columns, migrations.slice(0, MOST_SHOWN), 'None yet.');
  fill(section, 'Migrations from here', undefined, latest);
}

function guaranteeOf({ sender, hogs }) {
  const beside = hogs > 0 ? `, ${hogs} hog${hogs > 1 ? 's' : ''}` : '';
  return `${sender ? reservation(sender) : 'not reserved'}${beside}`;
}

export function drawExperiments(section, { experiments }) {
  const records = ({ id, name }) => h('a', { href: `api/experiments/${id}/records` }, name);
  const downtimeOf = ({ medianNs, p95Ns, runsDiffer }) =>
    `${duration(medianNs)} (${runsDiffer ? `p95 ${duration(p95Ns)}` : 'in every run'})`;
  const isUnderWay = ({ state }) => ['waiting', 'running'].includes(state);
  const columns = [
    ['experiment', (experiment) => [records(experiment), h('div.quiet', experiment.world)]],
    ['state', ({ state }) => chip(state)],
    ['runs', ({ runs }) => `${count(runs.done)} / ${count(runs.all)}`, 'number'],
    ['downtime', ({ downtime }) => (downtime ? downtimeOf(downtime) : '–'), 'number optional'],
    ['', (experiment) => isUnderWay(experiment) && cancel(`api/experiments/${experiment.id}`), 'number'],
  ];
  const none = 'Run a scenario with its compare matrix, in virtual time or on threads.';
  const start = h('button', { onclick: () => startExperiment() }, 'New experiment');
  fill(section, 'Experiments', start, table(columns, experiments, none));
}

/** A button that cancels what is at a path. */
export function cancel(path) {
  return h('button.danger', { onclick: () => attempt('DELETE', path) }, 'Cancel');
}

export function drawLinks(section, { links }) {
  section.hidden = links.length === 0;
  const row = ({ name, capacityBytesPerSecond: capacity, reservedBytesPerSecond: reserved, waiting }) => {
    const text = `${rate(reserved)} of ${rate(capacity)} reserved`;
    return barRow(name, bar('', [(100 * reserved) / capacity]), text, `${waiting} waiting`);
  };
  fill(section, 'Links', undefined, h('div.rounds', links.flatMap(row)));
}

/** A row of bars: what it is, the bar, what that comes to, and more where there is room. */
export function barRow(name, filled, text, more) {
  return [h('span', name), filled, h('span.number', text), h('span.quiet.optional', more)];
}
