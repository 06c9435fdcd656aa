import { attempt } from './connection.js';
import { startExperiment, startMigration } from './dialogs.js';
import { chip, h } from './dom.js';
import { count, duration, rate, reservation, size, when } from './format.js';
import { table } from './table.js';

/** Of what has been: the latest so many. */
const MOST_SHOWN = 50;

/** Guests, and what can be done with each. */
export function drawGuests(section, state) {
  const { guests, peers } = state;
  const columns = [
    { title: 'guest', cell: (guest) => [h('strong', {}, guest.name), quietly(programOf(guest))] },
    { title: 'CPU', classes: 'optional', cell: (guest) => reservation(guest.reservation) },
    {
      title: 'state',
      cell: ({ state: is, owner }) => [chip(is), is === 'died' && quietly(`owner: ${owner}`)],
    },
    { cell: (guest) => h('div', { class: 'actions' }, ...actionsFor(guest, state)) },
  ];
  section.replaceChildren(
    h(
      'div',
      { class: 'head' },
      h('h2', {}, 'Guests here'),
      h('span', { class: 'quiet' }, peers.map(({ name, address }) => `${name}: ${address}`).join(', ')),
    ),
    table(columns, guests, 'No guest lives here at the moment.'),
  );
}

function programOf({ program, pages, pageSizeBytes }) {
  return `${program}, ${size(pages * pageSizeBytes)}`;
}

function actionsFor(guest, state) {
  const path = `api/guests/${guest.name}`;
  const act = (text, method, where) => h('button', { onclick: () => attempt(method, where) }, text);
  const migrate = () =>
    h('button', { class: 'main', onclick: () => startMigration(guest, state) }, 'Migrate');
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
  const columns = [
    {
      title: 'when',
      classes: 'quiet',
      cell: ({ endedAt, createdAt }) => when(endedAt ?? createdAt),
    },
    { title: 'guest', cell: ({ guest, to }) => `${guest} → ${to}` },
    { title: 'outcome', cell: ({ state }) => chip(state) },
    {
      title: 'downtime',
      classes: 'number',
      cell: ({ state, record }) => (state === 'completed' ? duration(record.downtimeNs) : '–'),
    },
    {
      title: 'sender’s CPU',
      classes: 'optional',
      cell: ({ id, state, record }) =>
        state === 'waiting'
          ? cancel(`api/migrations/${id}`)
          : h('span', { class: 'quiet' }, record ? guarantee(record.reservations) : ''),
    },
  ];
  section.replaceChildren(
    h('div', { class: 'head' }, h('h2', {}, 'Migrations from here')),
    table(columns, migrations.slice(0, MOST_SHOWN), 'None so far.'),
  );
}

function guarantee({ sender, hogs }) {
  const beside = hogs > 0 ? `, ${hogs} hog${hogs > 1 ? 's' : ''}` : '';
  return `${sender ? reservation(sender) : 'not reserved'}${beside}`;
}

export function drawExperiments(section, { experiments }) {
  const columns = [
    {
      title: 'experiment',
      cell: ({ id, name, world }) => [
        h('a', { href: `api/experiments/${id}/records` }, name),
        quietly(world),
      ],
    },
    { title: 'state', cell: ({ state }) => chip(state) },
    {
      title: 'runs',
      classes: 'number',
      cell: ({ runs }) => `${count(runs.done)} / ${count(runs.all)}`,
    },
    {
      title: 'downtime',
      classes: 'number optional',
      cell: ({ downtime }) =>
        downtime ? `${duration(downtime.medianNs)} (p95 ${duration(downtime.p95Ns)})` : '–',
    },
    {
      classes: 'number',
      cell: ({ id, state }) => ['waiting', 'running'].includes(state) && cancel(`api/experiments/${id}`),
    },
  ];
  section.replaceChildren(
    h(
      'div',
      { class: 'head' },
      h('h2', {}, 'Experiments'),
      h('button', { onclick: () => startExperiment() }, 'New experiment'),
    ),
    table(columns, experiments, 'A scenario and its matrix, carried out here in virtual time or on threads.'),
  );
}

function cancel(path) {
  return h('button', { class: 'danger', onclick: () => attempt('DELETE', path) }, 'Cancel');
}

function quietly(text) {
  return h('div', { class: 'quiet' }, text);
}

export function drawLinks(section, { links }) {
  section.hidden = links.length === 0;
  section.replaceChildren(
    h('div', { class: 'head' }, h('h2', {}, 'Links')),
    h(
      'div',
      { class: 'rounds' },
      ...links.flatMap(({ name, capacityBytesPerSecond, reservedBytesPerSecond, waiting }) => [
        h('span', {}, name),
        h(
          'span',
          { class: 'bar' },
          h('i', { style: { width: `${(100 * reservedBytesPerSecond) / capacityBytesPerSecond}%` } }),
        ),
        h(
          'span',
          { class: 'number' },
          `${rate(reservedBytesPerSecond)} of ${rate(capacityBytesPerSecond)} reserved`,
        ),
        h('span', { class: 'quiet optional' }, `${waiting} waiting`),
      ]),
    ),
  );
}
