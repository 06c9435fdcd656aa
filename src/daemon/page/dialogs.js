import { ask } from './connection.js';
import { byId, h } from './dom.js';

const RATE = '\\d+(\\.\\d+)?[kMG]bit/s';
const TIME = '\\d+(\\.\\d+)?(us|ms|s)';
const ORDERS = {
  threshold: 'threshold',
  lru: 'least recently written first',
  address: 'address',
  random: 'random',
};
const GUARANTEES = { '': 'no guarantee', 2: '2 of 10 ms', 5: '5 of 10 ms', 8: '8 of 10 ms' };

/** Asks how a guest is to move, and starts it. */
export function startMigration(guest, { peers, links }) {
  const named = (items) => Object.fromEntries(items.map(({ name }) => [name, name]));
  const to =
    peers.length > 0 ? choice(named(peers)) : h('input', { placeholder: 'HOST:PORT', required: true });
  const fields = [
    field('to', 'to', to),
    field('page order', 'order', choice(ORDERS)),
    field('b, rate in live rounds', 'rate', text('200Mbit/s', RATE)),
    field('b_d, rate while it is paused', 'stopRate', text('200Mbit/s', RATE)),
    field('live rounds', 'rounds', number(2, 1, 100)),
    field('observe it first, for', 'observe', text('500ms', TIME)),
    field('hogs beside the sender', 'hogs', number(0, 0, 16)),
    field('the sender’s CPU', 'guarantee', choice(GUARANTEES)),
    links.length > 0 && field('over the link', 'over', choice({ '': 'any', ...named(links) })),
  ];
  open(`Migrate ${guest.name}`, fields, 'Migrate', (given) => {
    const { order, observe, rate, stopRate, rounds, guarantee, over } = given;
    const hogs = Number(given.hogs);
    return ask('POST', 'api/migrations', {
      guest: guest.name,
      to: given.to,
      ...(over && { over }),
      link: { rate, stopRate },
      migration: { order, observe, stop: { rule: 'rounds', rounds: Number(rounds) } },
      sender: {
        cpuPerPage: '20us',
        ...(guarantee && { reservation: { budget: `${guarantee}ms`, period: '10ms' } }),
      },
      cpu: { scheduler: guarantee ? 'cbs-hard' : hogs > 0 ? 'fair' : 'none' },
      background: hogs > 0 ? [{ kind: 'cpu-hog', count: hogs }] : [],
    });
  });
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
  const example = h('textarea', { spellcheck: 'false' }, JSON.stringify(EXAMPLE, null, 2));
  const scenario = field('scenario (JSON)', 'scenario', example);
  scenario.classList.add('whole');
  const fields = [
    field('name', 'name', text('guarantees', '[A-Za-z0-9][A-Za-z0-9._\\-]{0,62}')),
    field('world', 'world', choice({ virtual: 'virtual', threads: 'threads' })),
    scenario,
  ];
  open('New experiment', fields, 'Start', (given) =>
    ask('POST', 'api/experiments', { ...given, scenario: JSON.parse(given.scenario) }),
  );
}

function field(label, name, element) {
  element.setAttribute('name', name);
  return h('label', label, element);
}

function choice(options) {
  return h(
    'select',
    Object.entries(options).map(([value, shown]) => h('option', { value }, shown)),
  );
}

function text(value, pattern) {
  return h('input', { value, pattern, required: true, autocomplete: 'off' });
}

function number(value, min, max) {
  return h('input', { type: 'number', value, min, max });
}

/** @param submit given what was filled in, by name; what it throws is shown, and the dialog stays open */
function open(title, fields, verb, submit) {
  const dialog = byId('dialog');
  const error = h('p.error.whole', { role: 'alert' });
  const send = h('button.main', { type: 'submit' }, verb);
  const cancel = h('button', { type: 'button', onclick: () => dialog.close() }, 'Cancel');
  const onsubmit = async (event) => {
    event.preventDefault();
    error.textContent = '';
    send.disabled = true;
    try {
      await submit(Object.fromEntries(new FormData(form)));
      dialog.close();
    } catch (cause) {
      error.textContent = cause.message;
    } finally {
      send.disabled = false;
    }
  };
  const end = h('div.dialog-end.whole', cancel, send);
  const form = h('form', { onsubmit }, h('h2.whole', title), fields, error, end);
  dialog.replaceChildren(form);
  dialog.showModal();
}
