import { statSync } from 'node:fs';
import { Failure, orFailure, reasonOf } from '../platform/failure.ts';
import { FolderLock, forgetLocks, livesAfterAll } from '../platform/folder-lock.ts';
import { shown, UsageError } from '../platform/problem.ts';
import { isOpen, type JournalFile, journalsIn, readJournals } from './journal-folder.ts';
import { tidyFolder } from './journal-upkeep.ts';
import { type Journals, type Settlement, settle } from './settlement.ts';

export interface Recovery {
  readonly settlements: readonly Settlement[];
  /** What a reader should know of the files: which are damaged, and lines that a crash has cut short and were ignored. */
  readonly remarks: readonly string[];
}

/**
 * Reads all journals in these folders and settles every migration that is not closed: decides whose the guest is
 * and writes that down, so that asking again finds nothing to do. What a process is at that lives, or may live, is left
 * alone. A damaged journal counts as one that is not at hand. Only one process at a time does this in a folder.
 * @param declaredDead names of processes of which their user says that they have ended
 * @param also migrations of which is told although their journals are closed
 * @throws Failure a folder cannot be read, a journal cannot be written, or a process that was declared dead lives
 * @throws Refusal somebody else settles what is in a folder
 * @throws UsageError no process of such a name is found
 */
export async function recover(
  folders: readonly string[],
  declaredDead: readonly string[] = [],
  also: readonly string[] = [],
): Promise<Recovery> {
  const distinct = distinctFolders(folders);
  const unlock = await lockAll(distinct, declaredDead);
  try {
    const journals = await unfinished(distinct, declaredDead, also);
    checkDeclared(declaredDead, journals, unlock.forgotten);
    const begun = journals.filter((journal) => !neverBegan(journal));
    const settlements = [...paired(begun)].map(([migration, pair]) => settle(migration, pair));
    const remarks = journals.flatMap(remarkOn);
    for (const folder of distinct) {
      await tidyFolder(folder).catch((cause) => remarks.push(`${folder} is not tidied: ${reasonOf(cause)}`));
    }
    return { settlements, remarks };
  } finally {
    unlock.release();
  }
}

/** However a folder is named, it is read once. @throws Failure there is no such folder */
function distinctFolders(folders: readonly string[]): readonly string[] {
  const byPlace = new Map<string, string>();
  for (const folder of folders) {
    const { dev, ino } = orFailure(`cannot read journals in ${folder}`, () => statSync(folder));
    const place = `${dev} ${ino}`;
    if (!byPlace.has(place)) byPlace.set(place, folder);
  }
  return [...byPlace.values()];
}

interface Unlock {
  release(): void;
  /** Processes whose locks were forgotten, because they were declared dead. */
  readonly forgotten: readonly string[];
}

async function lockAll(folders: readonly string[], declaredDead: readonly string[]): Promise<Unlock> {
  const locks: FolderLock[] = [];
  const forgotten: string[] = [];
  const release = () => {
    for (const lock of locks) lock.release();
  };
  try {
    for (const folder of folders) {
      journalsIn(folder);
      for (const name of declaredDead) if (await forgetLocks(folder, name)) forgotten.push(name);
      locks.push(await FolderLock.take(folder, 'recover'));
    }
    return { release, forgotten };
  } catch (cause) {
    release();
    throw cause;
  }
}

/** The journals of every migration of which one is open or which is asked for, from all folders. */
async function unfinished(
  folders: readonly string[],
  declaredDead: readonly string[],
  also: readonly string[],
): Promise<readonly JournalFile[]> {
  const places = folders.flatMap(journalsIn);
  const open = new Set([...also, ...places.filter(isOpen).map(({ name }) => name.migration)]);
  return readJournals(
    places.filter(({ name }) => open.has(name.migration)),
    declaredDead,
  );
}

/** @throws Failure one of them lives. @throws UsageError there is no trace of one */
function checkDeclared(
  declaredDead: readonly string[],
  journals: readonly JournalFile[],
  forgotten: readonly string[],
): void {
  for (const name of declaredDead) {
    const its = journals.filter(({ content }) => content.begun?.process.name === name);
    if (its.some(({ life }) => life === 'lives')) throw new Failure(livesAfterAll(name));
    if (its.length > 0 || forgotten.includes(name)) continue;
    throw new UsageError([
      { path: '--declare-dead', expected: 'a process as recover names it', found: shown(name) },
    ]);
  }
}

/** Both ends' journals of each migration. */
function paired(journals: readonly JournalFile[]): Map<string, Journals> {
  const pairs = new Map<string, Journals>();
  for (const journal of journals) {
    const { migration, end } = journal.name;
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

/** A first line was written in place when journals were not yet named after guests. */
function neverBegan({ name, content }: JournalFile): boolean {
  return name.guest === undefined && 'isEmpty' in content && content.isEmpty;
}

function remarkOn(journal: JournalFile): string[] {
  const { file, content } = journal;
  if (neverBegan(journal)) {
    return [`${file}: no complete line, so the migration had not begun; the file is ignored`];
  }
  if ('damage' in content) return [`${file} is damaged: ${content.damage}`];
  if (content.tornBytes === 0) return [];
  return [`${file}: a last line of ${content.tornBytes} bytes was cut short and is ignored`];
}
