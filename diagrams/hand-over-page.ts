import { type Direction, type End, type HandoverState, handover } from '../src/core/wire/handover.ts';
import { journalOrder } from '../src/core/wire/journal-order.ts';
import { type JournalEntry, journalEntries, ownershipTable } from '../src/core/wire/ownership.ts';

/** docs/hand-over.md, from the state tables. */
export function handOverPage(): string {
  return `# The hand-over: states and owners

Written by \`npm run build:diagrams\` from the tables in \`src/core/wire/handover.ts\`, \`ownership.ts\` and \`journal-order.ts\`; a
test compares the two. [Architecture](architecture.md#hand-over) describes the protocol,
[decision 013](decisions/013-one-instant-decides.md) the commit.

A migration uses one TCP connection. With a key or certificates it is encrypted, and all that is said here is said within
TLS 1.3 ([decision 047](decisions/047-encrypted-from-the-key.md)): the handshake has proved the key, so the ends begin
*new*. *Locked* begins an end whose key the handshake has not proved: with TLS turned off, or with a key beside
certificates. Each end of it is in one state, and every frame that an end sends or receives takes
it to the next state. A frame that has no arrow in the present state breaks the protocol. The destination's diagram is the
source's with *sends* and *receives* exchanged.

Up to \`commit\` the source owns the guest. The destination runs the guest only after it has received \`commit\`.

## Source

${stateDiagram('source')}

${aborts('source')}

## Destination

${stateDiagram('destination')}

${aborts('destination')}

## Who owns the guest after a crash

Each end that keeps a journal appends an entry for every step. After a crash \`switchover recover\` looks up the last entry
of both ends in this table. *unknown* means that the journal is not at hand or damaged, or that the process of that end
lives, or may live, and may write more ([decision 043](decisions/043-who-is-alive.md)).

${ownershipMatrix()}

The reasons:

${reasons()}

## Which entry may follow which

A journal in another order is damaged. A closing entry, *aborted* or *ended*, is the last one.

${orderTable()}
`;
}

/** Without `abort`, which is possible nearly everywhere and would hide the rest. */
function stateDiagram(end: End): string {
  const arrows = states().flatMap((from) =>
    grouped(transitions(end, from), ({ to }) => to).map(
      (events) => `  ${id(from)} --> ${id(events[0]!.to)}: ${labelOf(events)}`,
    ),
  );
  return [
    '```mermaid',
    'stateDiagram-v2',
    ...states().flatMap((state) => (id(state) === state ? [] : [`  state "${state}" as ${id(state)}`])),
    '  [*] --> new: no key to prove',
    '  [*] --> locked: a key to prove',
    ...arrows,
    '  closed --> [*]',
    '```',
  ].join('\n');
}

interface Transition {
  readonly direction: Direction;
  readonly frame: string;
  readonly to: HandoverState;
}

function transitions(end: End, from: HandoverState): readonly Transition[] {
  return Object.entries(handover[end][from])
    .map(([event, to]) => {
      const [direction, frame] = event.split(' ') as [Direction, string];
      return { direction, frame, to };
    })
    .filter(({ frame }) => frame !== 'abort');
}

/** `sends page, zero or alive`. */
function labelOf(events: readonly Transition[]): string {
  return grouped(events, ({ direction }) => direction)
    .map(
      (those) =>
        `${those[0]!.direction} ${listed(
          those.map(({ frame }) => frame),
          'or',
        )}`,
    )
    .join(', ');
}

function aborts(end: End): string {
  const except = (direction: Direction) => {
    const without = states().filter((state) => !(`${direction} abort` in handover[end][state]));
    return `in every state but ${listed(
      without.map((state) => `*${state}*`),
      'and',
    )}`;
  };
  return `The diagram leaves out the frame \`abort\`, which leads to *closed*. The ${end} may send it ${except('sends')}, and may
receive it ${except('receives')}.`;
}

type Known = JournalEntry | 'unknown';

/** Rows: the source's last entry. Columns: the destination's. */
function ownershipMatrix(): string {
  const known: readonly Known[] = ['unknown', ...journalEntries];
  const columns = known.filter((entry) => ownershipTable.some(({ and }) => and.includes(entry)));
  const cell = (source: Known, destination: Known) => {
    const index = ownershipTable.findIndex(
      ({ when, and }) => when.includes(source) && and.includes(destination),
    );
    const { owner } = ownershipTable[index]!;
    return `${owner === 'nobody yet known' ? '–' : owner} (${index + 1})`;
  };
  return [
    `| source \\ destination | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '---|').join('')}`,
    ...known.map(
      (source) => `| **${source}** | ${columns.map((column) => cell(source, column)).join(' | ')} |`,
    ),
  ].join('\n');
}

function reasons(): string {
  return ownershipTable
    .map(({ owner, reason }, index) => {
      const whose = owner === 'nobody yet known' ? 'Nobody may start the guest' : `The ${owner} owns it`;
      return `${index + 1}. ${whose}: ${reason}.`;
    })
    .join('\n');
}

function orderTable(): string {
  const row = (end: End, entry: JournalEntry) => journalOrder[end][entry].join(', ') || '–';
  return [
    '| after | at the source | at the destination |',
    '|---|---|---|',
    ...journalEntries.map(
      (entry) => `| **${entry}** | ${row('source', entry)} | ${row('destination', entry)} |`,
    ),
  ].join('\n');
}

function states(): readonly HandoverState[] {
  return Object.keys(handover.source) as HandoverState[];
}

/** In the order in which each key comes first. */
function grouped<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  return [...new Set(items.map(keyOf))].map((key) => items.filter((item) => keyOf(item) === key));
}

/** Mermaid's names of states have no spaces. */
function id(state: HandoverState): string {
  return state.replaceAll(' ', '_');
}

function listed(words: readonly string[], conjunction: string): string {
  return words.length < 2 ? words.join() : `${words.slice(0, -1).join(', ')} ${conjunction} ${words.at(-1)}`;
}
