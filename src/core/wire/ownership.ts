import { InvariantViolated } from '../invariants.ts';
import type { Life } from '../life.ts';
import type { End } from './handover.ts';

/**
 * Each end of a migration writes down how far it came; after a crash its last entry is all that is left. This file
 * says what follows from the last entries of one end or of both: whose the guest is, and what each end must do.
 * Prefer *nobody runs* to *both run*.
 */
export const journalEntries = [
  'begun',
  /** At the source: the guest is paused. */
  'stopped',
  /** All memory is at the destination. */
  'ready',
  'commit',
  'running',
  /** Closes the journal: the migration came to nothing, the guest is the source's. */
  'aborted',
  /** Closes the journal: the guest is the destination's. */
  'ended',
] as const;
export type JournalEntry = (typeof journalEntries)[number];

/**
 * The entries that must survive a power cut before an end goes on. The source's commit before the `commit` frame
 * leaves; the destination's ready before `ready` is said, and its commit before the guest is run. The others are
 * synced while no paused guest waits for them; of those that are not, the table makes no difference.
 */
export const durable: Readonly<Record<End, ReadonlySet<JournalEntry>>> = {
  source: new Set(['begun', 'commit', 'running', 'aborted', 'ended']),
  destination: new Set(['begun', 'ready', 'commit', 'aborted', 'ended']),
};

export function isClosing(entry: JournalEntry): boolean {
  return entry === 'aborted' || entry === 'ended';
}

/** What was found of one end. Of an end whose journal is damaged or not at hand nothing is known. */
export interface Trail {
  readonly last: JournalEntry;
  /** Its process, before the journal was read: unless that has ended, its last entry need not be its last word. */
  readonly life: Life;
}

export type Trails = Readonly<Record<End, Trail | undefined>>;

export interface Ownership {
  readonly owner: End | 'nobody yet known';
  readonly source: 'resume' | 'keep stopped';
  readonly destination: 'run' | 'discard' | 'keep stopped';
  readonly reason: string;
}

type Known = JournalEntry | 'unknown';
type Row = Readonly<Record<'when' | 'and', readonly Known[]>> & Pick<Ownership, 'owner' | 'reason'>;

/** What each end must do, by who owns the guest. */
const duties = {
  source: { source: 'resume', destination: 'discard' },
  destination: { source: 'keep stopped', destination: 'run' },
  'nobody yet known': { source: 'keep stopped', destination: 'keep stopped' },
} as const;

/** `when` the source's last entry is one of these `and` the destination's one of those. The rows do not overlap. */
export const ownershipTable: readonly Row[] = [
  {
    when: ['begun', 'stopped', 'ready', 'aborted'],
    and: ['unknown', 'begun', 'ready', 'aborted'],
    owner: 'source',
    reason: 'the source has not written commit, so it never sent one',
  },
  {
    when: ['commit', 'running', 'ended', 'unknown'],
    and: ['commit', 'running', 'ended'],
    owner: 'destination',
    reason:
      'the destination has written commit, so the source had written it too and does not run the guest again',
  },
  {
    when: ['running', 'ended'],
    and: ['unknown'],
    owner: 'destination',
    reason: 'the source has heard that the guest runs at the destination',
  },
  {
    when: ['commit'],
    and: ['ready', 'aborted'],
    owner: 'source',
    reason: 'the source has written commit, but the destination never had it and will not have it any more',
  },
  {
    when: ['unknown'],
    and: ['begun', 'ready', 'aborted'],
    owner: 'source',
    reason: 'the destination has not written commit, so it does not run the guest',
  },
  {
    when: ['commit'],
    and: ['unknown'],
    owner: 'nobody yet known',
    reason: 'the source has written commit; only the destination knows whether it arrived',
  },
  {
    when: ['unknown'],
    and: ['unknown'],
    owner: 'nobody yet known',
    reason: 'neither end has said its last word',
  },
  {
    when: ['begun', 'stopped', 'ready', 'aborted'],
    and: ['commit', 'running', 'ended'],
    owner: 'nobody yet known',
    reason: 'the journals contradict each other: the destination has a commit that the source never wrote',
  },
  {
    when: ['running', 'ended'],
    and: ['begun', 'ready', 'aborted'],
    owner: 'nobody yet known',
    reason: 'the journals contradict each other: the guest ran at a destination that never wrote commit',
  },
  {
    when: ['commit'],
    and: ['begun'],
    owner: 'nobody yet known',
    reason:
      'the journals contradict each other: the source wrote commit for a destination that never wrote ready',
  },
];

/**
 * Who owns the guest, by what is known of both ends.
 * @throws InvariantViolated no row, or more than one, is about these last entries
 */
export function ownership({ source, destination }: Trails): Ownership {
  const [when, and] = [lastWord(source), lastWord(destination)];
  const [row, ...others] = ownershipTable.filter((row) => row.when.includes(when) && row.and.includes(and));
  if (!row || others.length > 0) {
    throw new InvariantViolated('owner: the last entries of both journals name one', {
      source: when,
      destination: and,
      rows: others.length + (row ? 1 : 0),
    });
  }
  return { owner: row.owner, ...duties[row.owner], reason: row.reason };
}

/** An end that may live has not said its last word before it runs the guest or closes: its disk may refuse a commit. */
function lastWord(trail: Trail | undefined): Known {
  if (!trail) return 'unknown';
  const { last, life } = trail;
  return life === 'has ended' || last === 'running' || isClosing(last) ? last : 'unknown';
}

/**
 * The entries that settle a migration: first at the end that loses the guest, then at the owner, who may start it
 * after that. Whoever stops between the two leaves journals that name the same owner. Ends that may live are left alone.
 */
export function closings(trails: Trails): readonly { readonly end: End; readonly entry: JournalEntry }[] {
  const { owner } = ownership(trails);
  if (owner === 'nobody yet known') return [];
  const entry = owner === 'source' ? 'aborted' : 'ended';
  const order: readonly End[] = owner === 'source' ? ['destination', 'source'] : ['source', 'destination'];
  return order
    .filter((end) => {
      const trail = trails[end];
      return trail?.life === 'has ended' && !isClosing(trail.last);
    })
    .map((end) => ({ end, entry }));
}
