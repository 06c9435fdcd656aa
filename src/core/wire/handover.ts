import { type FrameType, WireError } from './frames.ts';

/**
 * Who may say what, and when (in the manner of h11). A connection has two ends; each is in one state, and every
 * frame that it sends or receives takes it to the next. A frame that a table does not name in the present state
 * breaks the protocol. Two rules are behind the tables:
 *
 * 1. Up to `commit` the source owns the guest: whatever goes wrong, the guest runs on there.
 * 2. The destination runs the guest only after it has received `commit`; the source never again after sending it, unless
 *    the destination has said that it has thrown away what it had, and thus will not run it.
 *
 * A source whose connection breaks after the commit may `ask` over another one. The destination ends the old connection
 * before it answers, so that no commit can come any more: the guest is `running` there, or `returned`.
 *
 * Either end says that it is `alive` where it may have nothing else to say for long: the source between two steps, the
 * destination while it works on all of the memory, to make room for it or to hash it.
 *
 * An end without a key begins `new`, one with a shared key `locked`: from there no hello comes before both proofs,
 * the source's first, so that a destination proves nothing to an unauthenticated peer.
 */
export type End = 'source' | 'destination';

export type Direction = 'sends' | 'receives';
type Event = `${Direction} ${FrameType}`;

/** The other end gives up. */
const heard = { 'receives abort': 'closed' } as const;
/** Either end may give up. */
const aborts = { ...heard, 'sends abort': 'closed' } as const;

const source = {
  locked: { 'sends challenge': 'challenging', ...heard },
  challenging: { 'receives challenge': 'challenged', ...aborts },
  challenged: { 'sends proof': 'proving', ...aborts },
  proving: { 'receives proof': 'proved', ...aborts },
  proved: { 'sends hello': 'greeting', 'sends ask': 'asking', ...aborts },
  new: { 'sends hello': 'greeting', 'sends ask': 'asking', ...heard },
  asking: { 'receives running': 'running', 'receives returned': 'closed', ...heard },
  greeting: { 'receives hello': 'live', 'receives alive': 'greeting', ...aborts },
  live: {
    'sends page': 'live',
    'sends zero': 'live',
    'sends delta': 'live',
    'sends state': 'live',
    'sends round': 'ending round',
    'sends stop': 'comparing',
    'sends alive': 'live',
    ...aborts,
  },
  'ending round': { 'receives round': 'live', ...aborts },
  comparing: { 'receives ready': 'ready', ...aborts },
  ready: {
    'sends verify': 'verifying',
    'sends commit': 'committed',
    'sends alive': 'ready',
    ...aborts,
  },
  verifying: { 'receives verify': 'ready', 'receives alive': 'verifying', ...aborts },
  committed: { 'receives running': 'running', ...heard },
  running: { 'sends retire': 'retiring', 'sends alive': 'running', ...heard },
  retiring: { 'receives retire': 'closed', 'receives alive': 'retiring', ...heard },
  closed: {},
} as const satisfies Readonly<Record<string, Row<string>>>;

export type HandoverState = keyof typeof source;
type Row<State> = Readonly<Partial<Record<Event, State>>>;
type Table = Readonly<Record<HandoverState, Row<HandoverState>>>;

/** The destination's table is the source's seen from the other end. */
const destination = mirrored(source);

function mirrored(table: Table): Table {
  const swap = (event: string): string =>
    event.startsWith('sends ') ? `receives ${event.slice(6)}` : `sends ${event.slice(9)}`;
  return Object.fromEntries(
    Object.entries(table).map(([state, row]) => [
      state,
      Object.fromEntries(Object.entries(row).map(([event, next]) => [swap(event), next])),
    ]),
  ) as Table;
}

export const handover: Readonly<Record<End, Table>> = { source, destination };

/** Where one end has a key and the other has none, this is what its user must know. */
const remedies: Readonly<Partial<Record<HandoverState, Readonly<Partial<Record<Event, string>>>>>> = {
  new: {
    'receives challenge':
      'the source has a key and this destination has none; give both the same, or neither',
  },
  locked: {
    'receives hello':
      'this destination has a key and the source has none; give both the same with --key-file',
  },
};

/** Whether it is the other end's turn to say something. */
export function awaits(end: End, state: HandoverState): boolean {
  return Object.keys(handover[end][state]).some(
    (event) => event.startsWith('receives ') && event !== 'receives abort',
  );
}

/** Whether `end` may send such a frame now. */
export function maySend(end: End, state: HandoverState, type: FrameType): boolean {
  return handover[end][state][`sends ${type}`] !== undefined;
}

/**
 * The state after `end` has sent or received a frame.
 * @throws WireError the frame does not belong here: says what was seen, and what would have been right.
 */
export function next(end: End, state: HandoverState, direction: Direction, type: FrameType): HandoverState {
  const row = handover[end][state];
  const found = row[`${direction} ${type}`];
  if (found !== undefined) return found;
  const allowed = Object.keys(row).filter((event) => event.startsWith(direction));
  const right = allowed.map((event) => `'${event.slice(direction.length + 1)}'`).join(', ') || 'nothing';
  const remedy = end === 'destination' ? remedies[state]?.[`${direction} ${type}`] : undefined;
  throw new WireError(remedy ?? `'${type}' while ${state}; expected ${right}`);
}
