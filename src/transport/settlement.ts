import type { Life } from '../core/life.ts';
import type { End } from '../core/wire/handover.ts';
import {
  closings,
  isClosing,
  type JournalEntry,
  type Ownership,
  ownership,
  type Trail,
} from '../core/wire/ownership.ts';
import { declareDeadCommand } from '../platform/folder-lock.ts';
import { guestFromFileName } from './journal-file.ts';
import { closeJournal, type JournalFile } from './journal-folder.ts';

/** What is said of one end. */
export interface FoundEnd {
  readonly file: string;
  /** Null: the journal is damaged. */
  readonly last: JournalEntry | null;
  /** How its journal is damaged, if it is. */
  readonly damage: string | null;
  /** Whether its process lives, and what it is called; as far as its first line can be read. */
  readonly process: Life;
  readonly name: string | null;
  readonly pid: number | null;
  readonly host: string | null;
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

/** The ends whose journals are left alone, because their processes live or may live and are not done. */
export function leftAlone({ found }: Settlement): readonly End[] {
  return (['source', 'destination'] as const).filter((end) => {
    const at = found[end];
    return at !== null && at.process !== 'has ended' && (at.last === null || !isClosing(at.last));
  });
}

/** What a user must know of processes that cannot be asked from here, and the commands that settle it. */
export function unproved(settlement: Settlement, folders: readonly string[]): readonly string[] {
  const names = leftAlone(settlement).flatMap((end) => {
    const { process, name } = settlement.found[end]!;
    return process === 'unknown' && name !== null ? [name] : [];
  });
  return [...new Set(names)].map(
    (name) =>
      `whether ${name} lives cannot be proved from here: if it has ended for certain, run '${declareDeadCommand(folders, name)}'`,
  );
}

export type Journals = Partial<Record<End, JournalFile>>;

/**
 * Decides whose the guest of one migration is, and writes that into the journals of processes that have ended.
 * @throws Failure a journal cannot be written
 */
export function settle(migration: string, journals: Journals): Settlement {
  const ends = { source: foundEnd(journals.source), destination: foundEnd(journals.destination) };
  const trails = { source: trail(journals.source), destination: trail(journals.destination) };
  const { owner, reason } = ownership(trails);
  const done = closings(trails).map(({ end, entry }) => {
    const { file, content } = journals[end]!;
    if ('last' in content) closeJournal({ ...content, file }, entry, `recover: ${reason}`);
    return { end, entry, file };
  });
  const undecided = owner === 'nobody yet known';
  return {
    migration,
    guest: guestOf(journals),
    found: ends,
    owner,
    reason,
    done,
    state: isUnderWay(ends, undecided, done.length > 0) ? 'under way' : undecided ? 'undecided' : 'decided',
    missing: undecided && !ends.destination ? 'destination' : undecided && !ends.source ? 'source' : null,
  };
}

function isUnderWay(
  { source, destination }: Settlement['found'],
  undecided: boolean,
  wrote: boolean,
): boolean {
  return undecided
    ? isAtWork(source) || (!source && isAtWork(destination))
    : !wrote && (isAtWork(source) || isAtWork(destination));
}

function isAtWork(end: FoundEnd | null): boolean {
  return end?.process === 'lives' && end.last !== null && !isClosing(end.last);
}

function foundEnd(journal: JournalFile | undefined): FoundEnd | null {
  if (!journal) return null;
  const { file, content, life: process } = journal;
  const { name = null, pid = null, host = null } = content.begun?.process ?? {};
  const [last, damage] = 'damage' in content ? [null, content.damage] : [content.last, null];
  return { file, last, damage, process, name, pid, host };
}

/** A damaged journal tells no more than one that is not at hand. */
function trail(journal: JournalFile | undefined): Trail | undefined {
  if (!journal || 'damage' in journal.content) return undefined;
  return { last: journal.content.last, life: journal.life };
}

/** By any line that can be read, or else by a file's name. */
function guestOf({ source, destination }: Journals): string {
  const found = [source, destination].filter((journal) => journal !== undefined);
  const said = found.flatMap(({ content }) => content.begun?.guest ?? []);
  const named = found.flatMap(({ name }) => name.guest ?? []).map(guestFromFileName);
  return [...said, ...named, '(unknown)'][0]!;
}
