import type { End } from './handover.ts';
import type { JournalEntry } from './ownership.ts';

type Followers = Readonly<Record<JournalEntry, readonly JournalEntry[]>>;

/**
 * Which entries may come after which in one journal. Nothing comes after a closing entry. The source's commit may be
 * followed by anything that it is told; a destination with a commit never goes back.
 */
export const journalOrder: Readonly<Record<End, Followers>> = {
  source: {
    begun: ['stopped', 'aborted'],
    stopped: ['ready', 'aborted'],
    ready: ['commit', 'aborted'],
    commit: ['running', 'aborted', 'ended'],
    running: ['ended'],
    aborted: [],
    ended: [],
  },
  destination: {
    begun: ['ready', 'aborted'],
    stopped: [],
    ready: ['commit', 'aborted'],
    commit: ['running', 'ended'],
    running: ['ended'],
    aborted: [],
    ended: [],
  },
};

/** Where the order is broken: the index of the first entry that may not stand there. Undefined: nowhere. */
export function misplacedEntry(end: End, entries: readonly JournalEntry[]): number | undefined {
  const index = entries.findIndex((entry, at) =>
    at === 0 ? entry !== 'begun' : !journalOrder[end][entries[at - 1]!].includes(entry),
  );
  return index < 0 ? undefined : index;
}
