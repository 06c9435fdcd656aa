import { describe, expect, test } from 'vitest';
import { type FrameType, frameTypes, WireError } from '../../../src/core/wire/frames.ts';
import { awaits, type End, type HandoverState, handover, next } from '../../../src/core/wire/handover.ts';

const states = Object.keys(handover.source) as HandoverState[];
const ends: readonly End[] = ['source', 'destination'];

const transitions = (end: End, state: HandoverState) =>
  Object.entries(handover[end][state]) as [string, HandoverState][];

/** Where ends begin: without a key, and with one. */
const beginnings: readonly HandoverState[] = ['new', 'locked'];

function reachable(end: End): Set<HandoverState> {
  const found = new Set<HandoverState>(beginnings);
  for (const state of found) for (const [, to] of transitions(end, state)) found.add(to);
  return found;
}

describe('each table', () => {
  test.each(ends)('%s: every state can be reached', (end) => {
    expect([...reachable(end)].sort()).toEqual([...states].sort());
  });

  test.each(ends)('%s: every state but closed can be left, and closed cannot', (end) => {
    for (const state of states) {
      const elsewhere = transitions(end, state).filter(([, to]) => to !== state);
      expect(elsewhere.length > 0, state).toBe(state !== 'closed');
    }
  });

  test.each(ends)('%s: from every state the connection can still be closed', (end) => {
    const closing = new Set<HandoverState>(['closed']);
    for (let before = 0; before < closing.size; ) {
      before = closing.size;
      for (const state of states) {
        if (transitions(end, state).some(([, to]) => closing.has(to))) closing.add(state);
      }
    }
    expect([...closing].sort()).toEqual([...states].sort());
  });

  test.each(ends)('%s: names only frames that exist, and every one of them', (end) => {
    const named = states.flatMap((state) => transitions(end, state)).map(([event]) => event.split(' '));
    expect(new Set(named.map(([direction]) => direction))).toEqual(new Set(['sends', 'receives']));
    expect(new Set(named.map(([, type]) => type))).toEqual(new Set(frameTypes));
  });

  test('the destination’s is the source’s seen from the other end', () => {
    const turned = (event: string) =>
      event.replace(/^(sends|receives)/, (direction) => (direction === 'sends' ? 'receives' : 'sends'));
    const mirror = (end: End) =>
      Object.fromEntries(
        states.map((state) => [
          state,
          Object.fromEntries(transitions(end, state).map(([event, to]) => [turned(event), to])),
        ]),
      );
    expect(mirror('source')).toEqual(handover.destination);
    expect(mirror('destination')).toEqual(handover.source);
  });
});

test('a whole migration is: greet, rounds that are acknowledged, stop, compare, verify, commit, run, retire', () => {
  const story = [
    ['sends hello', 'greeting'],
    ['receives hello', 'live'],
    ['sends page', 'live'],
    ['sends zero', 'live'],
    ['sends round', 'ending round'],
    ['receives round', 'live'],
    ['sends page', 'live'],
    ['sends stop', 'comparing'],
    ['receives ready', 'ready'],
    ['sends verify', 'verifying'],
    ['receives verify', 'ready'],
    ['sends commit', 'committed'],
    ['receives running', 'running'],
    ['sends retire', 'retiring'],
    ['receives retire', 'closed'],
  ] as const;
  let state: HandoverState = 'new';
  for (const [event, to] of story) {
    const [direction, type] = event.split(' ') as ['sends' | 'receives', FrameType];
    state = next('source', state, direction, type);
    expect(state).toBe(to);
  }
});

test('where both have a key, the hello comes after both proofs, and the source proves first', () => {
  const story = [
    ['sends challenge', 'challenging'],
    ['receives challenge', 'challenged'],
    ['sends proof', 'proving'],
    ['receives proof', 'proved'],
    ['sends hello', 'greeting'],
  ] as const;
  let state: HandoverState = 'locked';
  for (const [event, to] of story) {
    const [direction, type] = event.split(' ') as ['sends' | 'receives', FrameType];
    for (const other of ['challenge', 'proof', 'hello'] as const) {
      if (other !== type) expect(() => next('source', state, direction, other)).toThrow(WireError);
    }
    state = next('source', state, direction, type);
    expect(state).toBe(to);
  }
});

test('a source that was not answered asks, and is told that the guest runs there or is its own', () => {
  for (const before of ['new', 'proved'] as const) {
    expect(next('source', before, 'sends', 'ask')).toBe('asking');
  }
  expect(next('source', 'asking', 'receives', 'running')).toBe('running');
  expect(next('source', 'asking', 'receives', 'returned')).toBe('closed');
  for (const state of states.filter((state) => state !== 'asking')) {
    expect(() => next('source', state, 'receives', 'returned'), state).toThrow(WireError);
  }
});

test('a key at one end only is an error that says at which', () => {
  expect(() => next('destination', 'new', 'receives', 'challenge')).toThrow(
    'the source has a key and this destination has none',
  );
  expect(() => next('destination', 'locked', 'receives', 'hello')).toThrow(
    'this destination has a key and the source has none',
  );
});

test('an end awaits the other where that one may say more than that it gives up', () => {
  const awaiting = (end: End) => states.filter((state) => awaits(end, state));
  expect(awaiting('destination').sort()).toEqual(
    ['challenged', 'live', 'locked', 'new', 'proved', 'ready', 'running'].sort(),
  );
  expect(awaiting('source').sort()).toEqual(
    [
      'challenging',
      'proving',
      'greeting',
      'asking',
      'ending round',
      'comparing',
      'verifying',
      'committed',
      'retiring',
    ].sort(),
  );
  for (const state of states) expect(awaits('source', state) && awaits('destination', state)).toBe(false);
});

/** Both ends and what is under way between them; `committed`: the source has ever sent commit, as one that asks has. */
interface Pair {
  readonly source: HandoverState;
  readonly destination: HandoverState;
  readonly toDestination: readonly FrameType[];
  readonly toSource: readonly FrameType[];
  readonly committed: boolean;
}

/** More frames than this are never under way in the model: the source sends live pages without asking. */
const MOST_UNDER_WAY = 3;

/**
 * All that two ends can come to over connections that lose nothing and keep the order. A frame that arrives at a
 * closed end is dropped, as a socket does it.
 */
function explore(): { readonly pairs: readonly Pair[]; readonly stuck: readonly Pair[] } {
  const first = beginnings.map(
    (state): Pair => ({
      source: state,
      destination: state,
      toDestination: [],
      toSource: [],
      committed: false,
    }),
  );
  const found = new Map(first.map((pair) => [JSON.stringify(pair), pair]));
  const stuck: Pair[] = [];
  for (const pair of found.values()) {
    const following = successors(pair);
    if (following.length === 0) stuck.push(pair);
    for (const to of following) {
      const key = JSON.stringify(to);
      if (!found.has(key)) found.set(key, to);
    }
  }
  return { pairs: [...found.values()], stuck };
}

function successors(pair: Pair): Pair[] {
  const sending = (end: End) =>
    transitions(end, pair[end])
      .filter(([event]) => event.startsWith('sends '))
      .map(([event, to]) => [event.slice('sends '.length) as FrameType, to] as const);
  const following: Pair[] = [];
  if (pair.toDestination.length < MOST_UNDER_WAY) {
    for (const [type, to] of sending('source')) {
      const committed = pair.committed || type === 'commit' || type === 'ask';
      following.push({ ...pair, source: to, toDestination: [...pair.toDestination, type], committed });
    }
  }
  if (pair.toSource.length < MOST_UNDER_WAY) {
    for (const [type, to] of sending('destination')) {
      following.push({ ...pair, destination: to, toSource: [...pair.toSource, type] });
    }
  }
  const receive = (end: End, state: HandoverState, type: FrameType) =>
    state === 'closed' ? state : next(end, state, 'receives', type);
  const [arriving, ...restToDestination] = pair.toDestination;
  if (arriving) {
    const destination = receive('destination', pair.destination, arriving);
    following.push({ ...pair, destination, toDestination: restToDestination });
  }
  const [answering, ...restToSource] = pair.toSource;
  if (answering) {
    const source = receive('source', pair.source, answering);
    following.push({ ...pair, source, toSource: restToSource });
  }
  return following;
}

describe('both ends together, over a network that loses nothing', () => {
  // Throws a WireError if in any reachable pair a frame arrives that its end does not expect.
  const { pairs, stuck } = explore();
  const taken = ['committed', 'running', 'retiring'];

  test('the exploration has seen every state of either end', () => {
    expect(new Set(pairs.map((pair) => pair.source))).toEqual(new Set(states));
    expect(new Set(pairs.map((pair) => pair.destination))).toEqual(new Set(states));
    expect(pairs.length).toBeGreaterThan(100);
  });

  test('never wait for each other in vain: when nothing more can happen, both are closed', () => {
    expect(stuck.length).toBeGreaterThan(0);
    for (const { source, destination } of stuck) expect([source, destination]).toEqual(['closed', 'closed']);
  });

  test('never both own the guest: where the destination has it, the source has committed', () => {
    const atDestination = pairs.filter(({ destination }) => taken.includes(destination));
    expect(atDestination.length).toBeGreaterThan(0);
    expect(atDestination.filter(({ committed }) => !committed)).toEqual([]);
    const sources = new Set(atDestination.map(({ source }) => source));
    expect([...sources].sort()).toEqual(['asking', 'committed', 'retiring', 'running']);
  });

  test('the destination proves itself only to a source that has said its proof first', () => {
    const proved = pairs.filter(({ destination }) => destination === 'proved');
    expect(proved.length).toBeGreaterThan(0);
    const sources = new Set(proved.map(({ source }) => source));
    for (const early of ['locked', 'challenging', 'challenged']) expect(sources).not.toContain(early);
  });

  test('the source learns that the guest runs only from a destination that has it', () => {
    const running = pairs.filter(({ source }) => source === 'running' || source === 'retiring');
    expect(running.length).toBeGreaterThan(0);
    for (const { destination } of running) expect(['running', 'retiring', 'closed']).toContain(destination);
  });

  test('a source that has not committed and closes leaves a destination that can only close', () => {
    const given = pairs.filter((pair) => pair.source === 'closed' && !pair.committed);
    expect(given.length).toBeGreaterThan(0);
    for (const pair of given) {
      const later = new Map([[JSON.stringify(pair), pair]]);
      for (const at of later.values()) {
        for (const to of successors(at)) later.set(JSON.stringify(to), to);
      }
      expect([...later.values()].filter(({ destination }) => taken.includes(destination))).toEqual([]);
    }
  });
});

describe('a frame out of place', () => {
  test('is an error that says what came, when, and what would have been right', () => {
    expect(() => next('destination', 'live', 'receives', 'commit')).toThrow(
      new WireError(
        "'commit' while live; expected 'page', 'zero', 'delta', 'state', 'round', 'stop', 'alive', 'abort'",
      ),
    );
    expect(() => next('source', 'comparing', 'receives', 'running')).toThrow(
      new WireError("'running' while comparing; expected 'ready', 'abort'"),
    );
    expect(() => next('source', 'closed', 'receives', 'abort')).toThrow(
      new WireError("'abort' while closed; expected nothing"),
    );
  });

  test('is every frame that the table does not name, and no other', () => {
    for (const end of ends) {
      for (const state of states) {
        for (const direction of ['sends', 'receives'] as const) {
          for (const type of frameTypes) {
            const to = transitions(end, state).find(([event]) => event === `${direction} ${type}`)?.[1];
            if (to) expect(next(end, state, direction, type)).toBe(to);
            else expect(() => next(end, state, direction, type)).toThrow(WireError);
          }
        }
      }
    }
  });
});
