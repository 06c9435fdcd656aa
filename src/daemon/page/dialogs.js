import { ask } from './connection.js';
import { byId, h } from './dom.js';

/** Asks how a guest is to move, and starts it. */
export function startMigration(guest, { peers, links }) {
  const field = (label, name, element) => h('label', {}, label, withName(element, name));
  const choice = (options) =>
    h('select', {}, ...options.map(([value, text]) => h('option', { value }, text)));
  const text = (value, pattern) => h('input', { value, pattern, required: true, autocomplete: 'off' });
  const to =
    peers.length > 0
      ? choice(peers.map(({ name }) => [name, name]))
      : h('input', { placeholder: 'HOST:PORT', required: true });
  const RATE = '\\d+(\\.\\d+)?[kMG]bit/s';
  const TIME = '\\d+(\\.\\d+)?(us|ms|s)';
  open(
    `Migrate ${guest.name}`,
    [
      field('to', 'to', to),
      field(
        'page order',
        'order',
        choice([
          ['threshold', 'threshold'],
          ['lru', 'least recently written first'],
          ['address', 'address'],
          ['random', 'random'],
        ]),
      ),
      field('b, rate of live rounds', 'rate', text('200Mbit/s', RATE)),
      field('b_d, rate while it stands', 'stopRate', text('200Mbit/s', RATE)),
      field('live rounds', 'rounds', h('input', { type: 'number', value: 2, min: 1, max: 100 })),
      field('watch it before, for', 'observe', text('500ms', TIME)),
      field('hogs beside the sender', 'hogs', h('input', { type: 'number', value: 0, min: 0, max: 16 })),
      field(
        'the sender’s CPU',
        'guarantee',
        choice([
          ['', 'no guarantee'],
          ['2', '2 of 10 ms'],
          ['5', '5 of 10 ms'],
          ['8', '8 of 10 ms'],
        ]),
      ),
      ...(links.length > 0
        ? [field('over the link', 'over', choice([['', 'any'], ...links.map(({ name }) => [name, name])]))]
        : []),
    ],
    'Migrate',
    (form) => {
      const hogs = Number(form.get('hogs'));
      const guarantee = form.get('guarantee');
      return ask('POST', 'api/migrations', {
        guest: guest.name,
        to: form.get('to'),
        ...(form.get('over') && { over: form.get('over') }),
        link: { rate: form.get('rate'), stopRate: form.get('stopRate') },
        migration: {
          order: form.get('order'),
          observe: form.get('observe'),
          stop: { rule: 'rounds', rounds: Number(form.get('rounds')) },
        },
        sender: {
          cpuPerPage: '20us',
          ...(guarantee && { reservation: { budget: `${guarantee}ms`, period: '10ms' } }),
        },
        cpu: { scheduler: guarantee ? 'cbs-hard' : hogs > 0 ? 'fair' : 'none' },
        background: hogs > 0 ? [{ kind: 'cpu-hog', count: hogs }] : [],
      });
    },
  );
}

const EXAMPLE = {
  describe: 'A stream server, its sender and two hogs on one processor',
  guest: {
    name: 'stream',
    pages: 2048,
    program: { kind: 'stream', pagesPerFrame: 100, buffers: 600, cpuPerFrame: '6ms' },
  },
  sender: { cpuPerPage: '50us' },
  background: [{ kind: 'cpu-hog', count: 2 }],
  link: { rate: '1Gbit/s' },
  migration: { order: 'random', stop: { rule: 'rounds', rounds: 2 } },
  compare: {
    'cpu.scheduler, guest.reservation, sender.reservation': [
      ['fair', 'none', 'none'],
      ['cbs-hard', { budget: '4ms', period: '10ms' }, { budget: '5ms', period: '10ms' }],
    ],
  },
  runs: 5,
};

/** Asks for a scenario and carries it out. */
export function startExperiment() {
  open(
    'New experiment',
    [
      h(
        'label',
        {},
        'name',
        h('input', {
          name: 'name',
          value: 'guarantees',
          pattern: '[A-Za-z0-9][A-Za-z0-9._\\-]{0,62}',
          required: true,
        }),
      ),
      h(
        'label',
        {},
        'world',
        h('select', { name: 'world' }, h('option', {}, 'virtual'), h('option', {}, 'threads')),
      ),
      h(
        'label',
        { class: 'whole' },
        'scenario (JSON)',
        withName(h('textarea', { spellcheck: 'false' }, JSON.stringify(EXAMPLE, null, 2)), 'scenario'),
      ),
    ],
    'Start',
    (form) =>
      ask('POST', 'api/experiments', {
        name: form.get('name'),
        world: form.get('world'),
        scenario: JSON.parse(form.get('scenario')),
      }),
  );
}

function open(title, fields, verb, submit) {
  const dialog = byId('dialog');
  const error = h('p', { class: 'error whole', role: 'alert' });
  const send = h('button', { class: 'main', type: 'submit' }, verb);
  const form = h(
    'form',
    {
      onsubmit: async (event) => {
        event.preventDefault();
        error.textContent = '';
        send.disabled = true;
        try {
          await submit(new FormData(form));
          dialog.close();
        } catch (cause) {
          error.textContent = cause.message;
        } finally {
          send.disabled = false;
        }
      },
    },
    h('h2', { class: 'whole' }, title),
    ...fields,
    error,
    h(
      'div',
      { class: 'dialog-end whole' },
      h('button', { type: 'button', onclick: () => dialog.close() }, 'Not now'),
      send,
    ),
  );
  dialog.replaceChildren(form);
  dialog.showModal();
}

function withName(element, name) {
  element.setAttribute('name', name);
  return element;
}
