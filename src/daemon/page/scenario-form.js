import { ask } from './api.js';
import { choice, field, openForm, text } from './dialog.js';
import { h } from './dom.js';
import { saveText } from './export.js';
import { addable, helpOf, leavesOf, scenarioKeys, written } from './scenario-keys.js';

const EXAMPLE = `# A stream server, its sender and two hogs on one processor
describe: With reservations and without
guest:
  name: stream
  pages: 2048
  program: { kind: stream, pagesPerFrame: 100, buffers: 600, cpuPerFrame: 6ms }
sender:
  cpuPerPage: 50us
background:
  - { kind: cpu-hog, count: 2 }
link:
  rate: 1Gbit/s
migration:
  order: random
  stop: { rule: rounds, rounds: 2 }
compare:
  cpu.scheduler, guest.reservation, sender.reservation:
    - [fair, none, none]
    - [cbs-hard, { budget: 4ms, period: 10ms }, { budget: 5ms, period: 10ms }]
runs: 5
`;

/**
 * Asks for a scenario and carries it out: as YAML, and beside it every key in a field of its own with what it means. What is
 * changed on one side changes on the other.
 */
export async function startExperiment() {
  const [yaml, keys] = await Promise.all([import('./built/yaml.js'), scenarioKeys()]);
  const area = h('textarea', { spellcheck: 'false', 'aria-describedby': 'yaml-error' }, EXAMPLE);
  const wrong = h('p.error', { id: 'yaml-error', role: 'alert' });
  const listed = h('div.keys', { role: 'group', 'aria-label': 'Keys of the scenario' });
  const parsed = () => yaml.parseDocument(area.value);

  const showKeys = () => {
    const document = parsed();
    wrong.textContent = document.errors[0]?.message ?? '';
    if (document.errors.length > 0) return;
    const change = (path, value) => {
      const latest = parsed();
      latest.setIn(path, latest.createNode(yaml.parse(value)));
      area.value = String(latest);
      showKeys();
    };
    const rows = leavesOf(document.toJS()).map(([path, value]) => keyField(path, value, keys, change));
    listed.replaceChildren(...rows, adder(document.toJS(), keys, change));
  };
  area.addEventListener('input', showKeys);

  const name = text('guarantees', '[A-Za-z0-9][A-Za-z0-9._\\-]{0,62}');
  const file = h('input', { type: 'file', accept: '.yaml,.yml,.json' });
  file.addEventListener('change', async () => {
    const [given] = file.files;
    if (!given) return;
    area.value = await given.text();
    name.value = given.name
      .replace(/\.\w+$/, '')
      .replace(/[^\w.-]/g, '-')
      .slice(0, 63);
    showKeys();
  });
  const save = h(
    'button',
    { type: 'button', onclick: () => saveText(`${name.value}.yaml`, area.value) },
    'Save YAML',
  );
  const scenario = field('scenario (YAML)', 'scenario', area);
  const fields = [
    field('name', 'name', name),
    field('world', 'world', choice({ virtual: 'virtual: computed', threads: 'threads: real time' })),
    h('label', 'open a file', file),
    h('div.beside-label', save),
    h('div', h('div.label', 'keys'), listed),
    h('div', scenario, wrong),
  ];
  openForm('New experiment', fields, 'Start', (given) =>
    ask('POST', 'api/experiments', { ...given, scenario: yaml.parse(area.value) }),
  );
  showKeys();
}

/** A key that is set: what it is, and what the schema says of it. */
function keyField(path, value, keys, change) {
  const id = `key-${path.join('.')}`;
  const help = helpOf(path, keys, value);
  const input = h('input', {
    value: written(value),
    autocomplete: 'off',
    'aria-describedby': `${id}-help`,
    onchange: ({ target }) => change(path, target.value),
  });
  return h('div.key', h('label', path.join('.'), input), h('p.help', { id: `${id}-help` }, help));
}

/** Another key of those that may be set. */
function adder(document, keys, change) {
  const options = addable(document, keys);
  const help = h('p.help', { id: 'add-help' }, 'Choose a key to see what it means.');
  const key = h('input', { list: 'scenario-keys', autocomplete: 'off', 'aria-describedby': 'add-help' });
  const value = h('input', { autocomplete: 'off' });
  key.addEventListener('input', () => {
    help.textContent = helpOf(key.value.split('.'), keys);
    value.value = keys.find(({ path }) => path === key.value)?.fallback ?? '';
  });
  const add = h(
    'button',
    { type: 'button', onclick: () => key.value && change(key.value.split('.'), value.value) },
    'Add',
  );
  return h(
    'div.key',
    h(
      'datalist',
      { id: 'scenario-keys' },
      options.map(({ path }) => h('option', { value: path })),
    ),
    h('div.adder', h('label', 'another key', key), h('label', 'its value', value), add),
    help,
  );
}
