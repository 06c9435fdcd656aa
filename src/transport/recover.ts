import type { End } from '../core/wire/handover.ts';
import {
  closings,
  isClosing,
  type JournalEntry,
  type Ownership,
  ownership,
  type Trail,
} from '../core/wire/ownership.ts';
import { Failure } from '../platform/failure.ts';
import { lives } from '../platform/process-identity.ts';
import { closeJournal, type JournalFile, readFolder } from './journal-file.ts';

/** What is said of one end. */
export interface FoundEnd {
  readonly file: string;
  readonly last: JournalEntry;
  readonly pid: number;
  readonly host: string;
  readonly process: 'lives' | 'has ended' | 'on another host';
}

/** What became of a migration whose journals are not all closed. */
export interface Settlement {
  readonly migration: string;
  readonly guest: string;
  readonly found: Readonly<Record<End, FoundEnd | null>>;
  readonly owner: Ownership['owner'];
  readonly reason: string;
  /** The closing entries that were written. */
  readonly done: readonly { readonly end: End; readonly entry: JournalEntry; readonly file: string }[];
  /** `under way`: the end that decides is still at it. */
  readonly state: 'decided' | 'under way' | 'undecided';
  /** The journal without which nothing can be decided. */
  readonly missing: End | null;
}

export interface Recovery {
  readonly settlements: readonly Settlement[];
  /** What a reader should know of the files: lines that a crash has cut short, and were ignored. */
  readonly remarks: readonly string[];
}

type Journals = Partial<Record<End, JournalFile>>;

/**
 * Reads all journals in these folders and settles every migration that is not closed: decides whose the guest is
 * and writes that down, so that asking again finds nothing to do. What a living process is at is left alone.
 * @param also migrations of which is told although their journals are closed
 * @throws Failure a folder cannot be read, or a journal is damaged or cannot be written
 */
export function recover(folders: readonly string[], also: ReadonlySet<string> = new Set()): Recovery {
  const found = [...new Set(folders)].map(readFolder);
  const journals = found.flatMap((folder) => folder.journals);
  const remarks = [
    ...journals
      .filter(({ tornBytes }) => tornBytes > 0)
      .map(
        ({ file, tornBytes }) => `${file}: a last line of ${tornBytes} bytes was cut short and is ignored`,
      ),
    ...found.flatMap(({ empty }) =>
      empty.map((file) => `${file}: no complete line, so the migration had not begun; the file is ignored`),
    ),
  ];
  const settlements = [...paired(journals)]
    .filter(
      ([migration, { source, destination }]) =>
        also.has(migration) || [source, destination].some((journal) => journal && !isClosing(journal.last)),
    )
    .map(([migration, pair]) => settle(migration, pair));
  return { settlements, remarks };
}

/** Both ends' journals of each migration. */
function paired(journals: readonly JournalFile[]): Map<string, Journals> {
  const pairs = new Map<string, Journals>();
  for (const journal of journals) {
    const { migration, end } = journal.begun;
    const pair = pairs.get(migration) ?? {};
    const twin = pair[end];
    if (twin)
      throw new Failure(
        `${twin.file} and ${journal.file} are journals of the same end of the same migration: give only one of the folders`,
      );
    pairs.set(migration, { ...pair, [end]: journal });
  }
  return pairs;
}

function settle(migration: string, journals: Journals): Settlement {
  const ends = { source: foundEnd(journals.source), destination: foundEnd(journals.destination) };
  const trails = { source: trail(ends.source), destination: trail(ends.destination) };
  const { owner, reason } = ownership(trails);
  const done = closings(trails).map(({ end, entry }) => {
    closeJournal(journals[end]!, entry, `recover: ${reason}`);
    return { end, entry, file: journals[end]!.file };
  });
  const undecided = owner === 'nobody yet known';
  const [source, destination] = [isAtWork(ends.source), isAtWork(ends.destination)];
  const underWay = undecided
    ? source || (!ends.source && destination)
    : done.length === 0 && (source || destination);
  const state = underWay ? 'under way' : undecided ? 'undecided' : 'decided';
  return {
    migration,
    guest: (journals.source ?? journals.destination)!.begun.guest,
    found: ends,
    owner,
    reason,
    done,
    state,
    missing: undecided && !ends.destination ? 'destination' : undecided && !ends.source ? 'source' : null,
  };
}

function foundEnd(journal: JournalFile | undefined): FoundEnd | null {
  if (!journal) return null;
  const { pid, host } = journal.begun.process;
  const alive = lives(journal.begun.process);
  const process = alive === 'elsewhere' ? 'on another host' : alive ? 'lives' : 'has ended';
  return { file: journal.file, last: journal.last, pid, host, process };
}

function isAtWork(end: FoundEnd | null): boolean {
  return end?.process === 'lives' && !isClosing(end.last);
}

/** A process that cannot be asked from here may live. */
function trail(end: FoundEnd | null): Trail | undefined {
  return end ? { last: end.last, lives: end.process !== 'has ended' } : undefined;
}
