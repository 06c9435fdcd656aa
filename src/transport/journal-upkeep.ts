import { readdirSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { wallClockMs } from '../platform/clock.ts';
import { askSocket } from '../platform/local-socket.ts';
import { isOpen, journalsIn } from './journal-folder.ts';

/** So many journals are kept in a folder, and closed ones for so long. */
const MOST_JOURNALS = 1_000;
const KEPT_MS = 30 * 24 * 3_600_000;
/** So many more may come before it is tidied again. */
const SLACK = 100;

/** Whether a folder has so many journals that it should be tidied. */
export function isCrowded(folder: string): boolean {
  return journalsIn(folder).length > MOST_JOURNALS + SLACK;
}

/**
 * Removes closed journals that are old or too many, the oldest first, and what processes that have ended left there
 * otherwise. Nothing else in the folder is touched.
 * @throws the system's error
 */
export async function tidyFolder(folder: string): Promise<void> {
  removeOldJournals(folder);
  await removeOldSigns(folder);
}

function removeOldJournals(folder: string): void {
  const aged = journalsIn(folder)
    .map((place) => ({ place, modifiedMs: statSync(place.file, { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((one, other) => other.modifiedMs - one.modifiedMs);
  const oldestMs = wallClockMs() - KEPT_MS;
  for (const [index, { place, modifiedMs }] of aged.entries()) {
    const isKept = (index < MOST_JOURNALS && modifiedMs >= oldestMs) || isOpen(place);
    if (!isKept) remove(place.file);
  }
}

/** Unless somebody else has done so: several may tidy a folder at once. */
function remove(file: string): void {
  try {
    unlinkSync(file);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw cause;
  }
}

/** Signs at which nobody listens, and which no journal, no note and no lock names: nobody will look for them. */
async function removeOldSigns(folder: string): Promise<void> {
  const files = readdirSync(folder);
  const signs = files.filter((file) => /^[\w.-]+-\d+-[0-9a-f]{8}\.life$/.test(file));
  const refusing: string[] = [];
  for (const sign of signs) if ((await askSocket(folder, sign)) === 'refuses') refusing.push(sign);
  if (refusing.length === 0) return;
  const named = namesIn(folder);
  for (const sign of refusing) {
    const name = sign.slice(0, -'.life'.length);
    const isOfLock = files.some((file) => file.endsWith(`.${name}.lock`));
    if (!isOfLock && !named.has(name)) remove(join(folder, sign));
  }
}

/** What is written down here of somebody's machine, beside journals. */
const NOTE = /^[0-9a-f]{16}\.\w+\.(nd)?json$/;

/** The names of processes in all journals and notes. @throws the system's error: what cannot be read may name any */
function namesIn(folder: string): ReadonlySet<string> {
  const notes = readdirSync(folder).filter((file) => NOTE.test(file));
  const files = [...journalsIn(folder).map(({ file }) => file), ...notes.map((file) => join(folder, file))];
  const names = files.flatMap((file) => {
    try {
      return /"name":"([\w.-]+)"/.exec(readFileSync(file, 'utf8'))?.[1] ?? [];
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw cause;
    }
  });
  return new Set(names);
}
