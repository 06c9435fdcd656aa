import { attempt, cancelButton } from './dialog.js';
import { bar, chip, fill, h } from './dom.js';
import { count, duration, processors, rate, reservation, size, when } from './format.js';
import { startMigration } from './migration-form.js';
import { comparisonTable, marginOf, verdictChip } from './promises.js';
import { startExperiment } from './scenario-form.js';
import { table } from './table.js';

/** Of what has been: the latest so many. */
const MOST_SHOWN = 50;

/** Guests, and what can be done with each. */
export function drawGuests(section, state) {
  const columns = [
    ['guest', (guest) => [h('strong', guest.name), h('div.quiet', programOf(guest))]],
    ['CPU', (guest) => reservation(guest.reservation), 'optional'],
    ['state', ({ state: is, owner, why }) => [chip(is), moreOf(is, owner, why)]],
    ['', (guest) => h('div.actions', actionsFor(guest, state))],
  ];
  const peers = state.peers.map(({ name, address }) => `${name}: ${address}`);
  const guests = table('Guests', columns, state.guests, 'No guests on this host.');
  fill(section, 'Guests', h('span.quiet', peers.join(', ')), guests);
}

/** Of a machine nothing is known but how large it is, and before its first answer not even that. */
function programOf({ kind, program, pages, pageSizeBytes }) {
  return [program ?? kind, pages > 0 && size(pages * pageSizeBytes)].filter(Boolean).join(', ');
}

function moreOf(state, owner, why) {
  if (state === 'died') return h('div.quiet', `owner: ${owner}`);
  return why && h('div.quiet', why);
}

function actionsFor(guest, state) {
  const path = `api/guests/${guest.name}`;
  const button = (kind, text, act) =>
    h(
      kind,
      { onclick: act, 'aria-label': `${text} ${guest.name}`, 'data-key': `${text} ${guest.name}` },
      text,
    );
  const act = (text, method, where) => button('button', text, () => attempt(method, where));
  const migrate = () => button('button.main', 'Migrate', () => startMigration(guest, state));
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

export function drawComparisons(section, { comparisons }) {
  section.hidden = comparisons.length === 0;
  fill(section, 'What the guarantees did', undefined, comparisonTable(comparisons));
}

export function drawMigrations(section, { migrations }) {
  const downtime = ({ state, record }) => (state === 'completed' ? duration(record.downtimeNs) : '–');
  const verdict = (migration) =>
    migration.state === 'waiting' ? cancelMigration(migration) : verdictChip(migration);
  const columns = [
    ['when', ({ endedAt, createdAt }) => when(endedAt ?? createdAt), 'quiet'],
    [
      'guest',
      ({ id, guest, to }) => h('a', { href: `#/migrations/${id}`, 'data-key': id }, `${guest} → ${to}`),
    ],
    ['outcome', ({ state }) => chip(state), 'optional'],
    ['downtime', downtime, 'number'],
    ['margin', marginOf, 'number optional'],
    ['promises', verdict],
  ];
  const latest = table('Migrations from here', columns, migrations.slice(0, MOST_SHOWN), 'None yet.');
  fill(section, 'Migrations from here', undefined, latest);
}

export function cancelMigration({ id, guest, to }) {
  return cancelButton('migration', `the migration of ${guest} to ${to}`, `api/migrations/${id}`);
}

export function drawExperiments(section, { experiments }) {
  const link = ({ id, name }) => h('a', { href: `#/experiments/${id}`, 'data-key': id }, name);
  const columns = [
    ['experiment', (experiment) => [link(experiment), h('div.quiet', experiment.world)]],
    ['state', ({ state }) => chip(state)],
    ['runs', ({ runs }) => `${count(runs.done)} / ${count(runs.all)}`, 'number'],
    ['cells', ({ cells }) => (cells.length > 0 ? count(cells.length) : '–'), 'number optional'],
    ['', (experiment) => isUnderWay(experiment) && cancelExperiment(experiment), 'number'],
  ];
  const none = 'Run a scenario with its compare matrix, in virtual time or on threads.';
  const start = h(
    'button',
    { onclick: () => startExperiment(), 'data-key': 'new experiment' },
    'New experiment',
  );
  fill(section, 'Experiments', start, table('Experiments', columns, experiments.slice(0, MOST_SHOWN), none));
}

export function isUnderWay({ state }) {
  return state === 'waiting' || state === 'running';
}

export function cancelExperiment({ id, name }) {
  return cancelButton('experiment', `the experiment ${name}`, `api/experiments/${id}`);
}

/** What is reserved of links and processors, and what is left. */
export function drawReservations(section, { links, cpu }) {
  const link = ({ name, capacityBytesPerSecond: capacity, reservedBytesPerSecond: reserved, waiting }) => {
    const text = `${rate(reserved)} of ${rate(capacity)} reserved`;
    return barRow(name, bar('', [(100 * reserved) / capacity]), text, `${waiting} waiting`);
  };
  const most = cpu.processors * cpu.reservablePerProcessor;
  const reserved = Object.values(cpu.reserved).reduce((sum, one) => sum + one, 0);
  const holders = cpu.holders.length === 1 ? '1 holder' : `${cpu.holders.length} holders`;
  const text = `${reserved.toFixed(2)} of ${most.toFixed(2)} processors reserved`;
  const cpus = barRow('CPU', bar('', [(100 * reserved) / most]), text, holders);
  const left = `${processors(most - reserved)} can still be reserved`;
  fill(section, 'Reservations', h('span.quiet', left), h('div.rounds', cpus, links.flatMap(link)));
}

/** A row of bars: what it is, the bar, what that comes to, and more where there is room. */
export function barRow(name, filled, text, more) {
  return [h('span', name), filled, h('span.number', text), h('span.quiet.optional', more)];
}
