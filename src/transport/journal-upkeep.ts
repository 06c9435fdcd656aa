import { readdirSync, readFileSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
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
  const oldestMs = Date.now() - KEPT_MS;
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

/** A sign at which nobody listens, and which no journal and no lock names: nobody will look for it. */
async function removeOldSigns(folder: string): Promise<void> {
  const files = readdirSync(folder);
  const named = (name: string) =>
    files.some((file) => file.endsWith(`.${name}.lock`)) || isNamed(folder, name);
  for (const file of files.filter((found) => /^[\w.-]+-\d+-[0-9a-f]{8}\.life$/.test(found))) {
    if ((await askSocket(folder, file)) !== 'refuses') continue;
    if (!named(file.slice(0, -'.life'.length))) remove(join(folder, file));
  }
}

function isNamed(folder: string, name: string): boolean {
  return journalsIn(folder).some(({ file }) => {
    try {
      return readFileSync(file, 'utf8').includes(`"${name}"`);
    } catch (cause) {
      // What cannot be read may name it.
      return (cause as NodeJS.ErrnoException).code !== 'ENOENT';
    }
  });
}
