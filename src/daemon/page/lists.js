import { attempt } from './connection.js';
import { startExperiment, startMigration } from './dialogs.js';
import { chip, h } from './dom.js';
import { count, duration, rate, reservation, size, when } from './format.js';

/** Guests, and what can be done with each. */
export function drawGuests(section, state) {
  const { guests, peers } = state;
  const row = (guest) => {
    const { name, state: is } = guest;
    const act = (text, on, more = {}) => h('button', { onclick: on, ...more }, text);
    const actions =
      is === 'running' || is === 'paused'
        ? [
            act(is === 'paused' ? 'Resume' : 'Pause', () =>
              attempt('POST', `api/guests/${name}/${is === 'paused' ? 'resume' : 'pause'}`),
            ),
            act('Migrate', () => startMigration(guest, state), { class: 'main' }),
          ]
        : is === 'died'
          ? [act('Forget', () => attempt('DELETE', `api/guests/${name}`))]
          : [];
    return h(
      'tr',
      { title: guest.why ?? '' },
      h(
        'td',
        {},
        h('strong', {}, name),
        h('div', { class: 'quiet' }, `${guest.program}, ${size(guest.pages * guest.pageSizeBytes)}`),
      ),
      h('td', { class: 'optional' }, reservation(guest.reservation)),
      h('td', {}, chip(is), is === 'died' && h('div', { class: 'quiet' }, `owner: ${guest.owner}`)),
      h('td', {}, h('div', { class: 'actions' }, ...actions)),
    );
  };
  section.replaceChildren(
    h(
      'div',
      { class: 'head' },
      h('h2', {}, 'Guests here'),
      h('span', { class: 'quiet' }, peers.map(({ name, address }) => `${name}: ${address}`).join(', ')),
    ),
    guests.length === 0
      ? h('p', { class: 'empty' }, 'No guest lives here at the moment.')
      : h(
          'table',
          {},
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              h('th', {}, 'guest'),
              h('th', { class: 'optional' }, 'CPU'),
              h('th', {}, 'state'),
              h('th', {}),
            ),
          ),
          h('tbody', {}, ...guests.map(row)),
        ),
  );
}

export function drawMigrations(section, { migrations }) {
  const row = ({ id, guest, to, state, why, endedAt, createdAt, record }) =>
    h(
      'tr',
      { title: why ?? '' },
      h('td', { class: 'quiet' }, when(endedAt ?? createdAt)),
      h('td', {}, `${guest} → ${to}`),
      h('td', {}, chip(state)),
      h('td', { class: 'number' }, state === 'completed' ? duration(record.downtimeNs) : '–'),
      h(
        'td',
        { class: 'optional' },
        state === 'waiting'
          ? h(
              'button',
              { class: 'danger', onclick: () => attempt('DELETE', `api/migrations/${id}`) },
              'Cancel',
            )
          : h('span', { class: 'quiet' }, record ? guarantee(record.reservations) : ''),
      ),
    );
  section.replaceChildren(
    h('div', { class: 'head' }, h('h2', {}, 'Migrations from here')),
    migrations.length === 0
      ? h('p', { class: 'empty' }, 'None so far.')
      : h(
          'div',
          { class: 'scroll' },
          h(
            'table',
            {},
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                h('th', {}, 'when'),
                h('th', {}, 'guest'),
                h('th', {}, 'outcome'),
                h('th', { class: 'number' }, 'downtime'),
                h('th', { class: 'optional' }, 'sender’s CPU'),
              ),
            ),
            h('tbody', {}, ...migrations.slice(0, 50).map(row)),
          ),
        ),
  );
}

function guarantee({ sender, hogs }) {
  const beside = hogs > 0 ? `, ${hogs} hog${hogs > 1 ? 's' : ''}` : '';
  return `${sender ? reservation(sender) : 'not reserved'}${beside}`;
}

export function drawExperiments(section, state) {
  const row = ({ id, name, world, state: is, runs, downtime, why }) =>
    h(
      'tr',
      { title: why ?? '' },
      h(
        'td',
        {},
        h('a', { href: `api/experiments/${id}/records` }, name),
        h('div', { class: 'quiet' }, world),
      ),
      h('td', {}, chip(is)),
      h('td', { class: 'number' }, `${count(runs.done)} / ${count(runs.all)}`),
      h(
        'td',
        { class: 'number optional' },
        downtime ? `${duration(downtime.medianNs)} (p95 ${duration(downtime.p95Ns)})` : '–',
      ),
      h(
        'td',
        { class: 'number' },
        (is === 'waiting' || is === 'running') &&
          h(
            'button',
            { class: 'danger', onclick: () => attempt('DELETE', `api/experiments/${id}`) },
            'Cancel',
          ),
      ),
    );
  section.replaceChildren(
    h(
      'div',
      { class: 'head' },
      h('h2', {}, 'Experiments'),
      h('button', { onclick: () => startExperiment() }, 'New experiment'),
    ),
    state.experiments.length === 0
      ? h(
          'p',
          { class: 'empty' },
          'A scenario and its matrix, carried out here in virtual time or on threads.',
        )
      : h(
          'div',
          { class: 'scroll' },
          h(
            'table',
            {},
            h(
              'thead',
              {},
              h(
                'tr',
                {},
                h('th', {}, 'experiment'),
                h('th', {}, 'state'),
                h('th', { class: 'number' }, 'runs'),
                h('th', { class: 'number optional' }, 'downtime'),
                h('th', {}),
              ),
            ),
            h('tbody', {}, ...state.experiments.slice(0, 50).map(row)),
          ),
        ),
  );
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
