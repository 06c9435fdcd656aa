import { ask } from './api.js';
import { choice, field, number, openForm, text, wide } from './dialog.js';
import { byId, chip, figures, h } from './dom.js';
import { duration, processors, rate, reservation, spread } from './format.js';
import { certificateWords, plannedWords } from './targets.js';

const RATE = '\\d+(\\.\\d+)?[kMG]bit/s';
const TIME = '\\d+(\\.\\d+)?(us|ms|s)';
const ORDERS = {
  threshold: 'threshold',
  lru: 'least recently written first',
  address: 'address',
  random: 'random',
};
const EXAMPLE = 'downtime<=200ms@0.99';
const GUARANTEES = { '': 'no guarantee', 2: '2 of 10 ms', 5: '5 of 10 ms', 8: '8 of 10 ms' };

/** Asks how a guest is to move, says beforehand what that would come to, and starts it. */
export function startMigration(guest, { peers, links }) {
  const named = (items) => Object.fromEntries(items.map(({ name }) => [name, name]));
  const to =
    peers.length > 0 ? choice(named(peers)) : h('input', { placeholder: 'HOST:PORT', required: true });
  // No thread of ours sends the pages of a machine.
  const isOurs = guest.kind === 'threads';
  const fields = [
    field('to', 'to', to),
    wide(
      'target, if what is reserved is to be planned for it',
      'target',
      h('input', { placeholder: EXAMPLE, autocomplete: 'off' }),
      isOurs
        ? 'Then rates, rounds and the sender’s CPU are chosen for it, which takes some seconds: of what the link below has left, or up to the rates below.'
        : 'Then the machine is rehearsed to see what its programs write, and rates, rounds and the page order are chosen: of what the link below has left, or up to the rates below. That takes half a minute or so.',
    ),
    field('page order', 'order', choice(ORDERS)),
    field('b, rate in live rounds', 'rate', text('200Mbit/s', RATE)),
    field('b_d, rate while it is paused', 'stopRate', text('200Mbit/s', RATE)),
    field('live rounds', 'rounds', number(2, 1, 100)),
    field('observe it first, for', 'observe', text('500ms', TIME)),
    isOurs && field('hogs beside the sender', 'hogs', number(0, 0, 16)),
    isOurs && field('the sender’s CPU', 'guarantee', choice(GUARANTEES)),
    links.length > 0 && field('over the link', 'over', choice({ '': 'any', ...named(links) })),
    h('div.whole', { id: 'prediction', role: 'status' }),
  ];
  const migrate = (given, signal) => {
    const answer = ask('POST', 'api/migrations', requestOf(guest, given), signal);
    return given.target ? awaited('Planning…', answer) : answer;
  };
  const dryRun = {
    verb: 'Dry run',
    async act(given, signal) {
      const answer = ask('POST', 'api/predictions', requestOf(guest, given), signal);
      const computing = given.target ? 'Planning…' : 'Computing…';
      showPrediction(await awaited(isOurs ? computing : `Rehearsing and ${computing.toLowerCase()}`, answer));
    },
  };
  openForm(`Migrate ${guest.name}`, fields, 'Migrate', migrate, dryRun);
}

/** What is done is said in the place of the prediction, and no longer once it was refused. */
async function awaited(words, answer) {
  byId('prediction').replaceChildren(h('p.quiet', words));
  try {
    return await answer;
  } catch (cause) {
    byId('prediction').replaceChildren();
    throw cause;
  }
}

function requestOf(guest, given) {
  if (given.target) return targetedRequest(guest, given);
  return guest.kind === 'qemu' ? policyRequest(guest, given) : reservingRequest(guest, given);
}

/** What is reserved is planned. */
function targetedRequest(guest, { to, target, order, observe, rate, stopRate, over, hogs }) {
  return {
    guest: guest.name,
    to,
    target,
    ...(over ? { over } : { link: { rate, stopRate } }),
    migration: { order, observe },
    ...(guest.kind !== 'qemu' && { sender: { cpuPerPage: '20us' }, background: hogsOf(hogs) }),
  };
}

function hogsOf(count) {
  return Number(count) > 0 ? [{ kind: 'cpu-hog', count: Number(count) }] : [];
}

/** What can be asked for whatever the guest is. */
function policyRequest(guest, { to, order, observe, rate, stopRate, rounds, over }) {
  return {
    guest: guest.name,
    to,
    ...(over && { over }),
    link: { rate, stopRate },
    migration: { order, observe, stop: { rule: 'rounds', rounds: Number(rounds) } },
  };
}

function reservingRequest(guest, given) {
  const { guarantee } = given;
  const hogs = Number(given.hogs);
  return {
    ...policyRequest(guest, given),
    sender: {
      cpuPerPage: '20us',
      ...(guarantee && { reservation: { budget: `${guarantee}ms`, period: '10ms' } }),
    },
    cpu: { scheduler: guarantee ? 'cbs-hard' : hogs > 0 ? 'fair' : 'none' },
    background: hogsOf(hogs),
  };
}

const BEGINS = { 'at once': 'good', later: 'wait', never: 'bad' };

function showPrediction(prediction) {
  const { target, predicted, estimate, unguaranteed, reserves, left, begins, why, leftOut } = prediction;
  const of = (what, named) => (what?.[named] ? spread(what[named]) : '–');
  const bound = predicted?.downtimeBoundNs;
  const reserved = [
    ...reserves.cpu.map(({ holder, reservation: asked }) => `${reservation(asked)} for the ${holder}`),
    reserves.linkBytesPerSecond !== null && `${rate(reserves.linkBytesPerSecond)} on ${left.link.name}`,
  ].filter(Boolean);
  const completed =
    estimate &&
    estimate.completed < estimate.runs &&
    `${estimate.completed} of ${estimate.runs} runs completed`;
  byId('prediction').replaceChildren(
    h('h3', 'Dry run: nothing was moved or reserved'),
    h('p', chip(`would begin ${begins}`, BEGINS[begins]), why && h('span.quiet', ` ${why}`)),
    figures([
      ['pause, sending what is left', of(estimate, 'downtime')],
      bound !== undefined && ['at most (probability 0.99)', duration(bound)],
      unguaranteed && ['the same without the reservations', of(unguaranteed, 'downtime')],
      ['total', of(estimate, 'total')],
      target && ['planned', plannedWords(target)],
      target && ['certificate', certificateWords(target)],
      ['reserves', reserved.length > 0 ? reserved.join(', ') : 'nothing'],
      ['CPU left', processors(left.cpu.leftProcessors)],
      left.link && [`left of ${left.link.name}`, rate(left.link.leftBytesPerSecond)],
    ]),
    h('p.quiet', `In virtual time: median, and the middle 95 % of ${estimate?.runs ?? 0} runs. `, completed),
    h('p.quiet', `Left out: ${leftOut.join('; ')}.`),
  );
  byId('prediction').scrollIntoView({ block: 'nearest' });
}
