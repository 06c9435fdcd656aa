import { isClosing } from '../core/wire/ownership.ts';
import { Failure } from '../platform/failure.ts';
import { declareDeadCommand } from '../platform/folder-lock.ts';
import { type Begun, guestInFileName } from './journal-file.ts';
import { isOpen, type JournalFile, journalsIn, readJournals } from './journal-folder.ts';

/**
 * A guest that somebody else is migrating, or that a commit may have given away, is not ours to migrate. One whose
 * process died before its commit is the source's, and may be started and migrated again. Journals of other guests do
 * not matter, whatever is wrong with them.
 * @throws Failure the guest is in a migration that has not ended
 */
export async function refuseSecond(folder: string, { migration, guest }: Begun): Promise<void> {
  const places = journalsIn(folder).filter((place) => {
    const { name } = place;
    const isOfGuest = name.guest === undefined || name.guest === guestInFileName(guest);
    return name.end === 'source' && isOfGuest && name.migration !== migration && isOpen(place);
  });
  for (const journal of await readJournals(places)) {
    const why = objection(guest, journal);
    if (why !== undefined) throw new Failure(why);
  }
}

/** Why this guest may not be migrated because of an open journal; undefined: it is none. */
function objection(guest: string, { folder, file, name, content, life }: JournalFile): string | undefined {
  if ('damage' in content) {
    const isOfGuest = content.begun ? content.begun.guest === guest : name.guest !== undefined;
    if (!isOfGuest) return undefined;
    return `guest '${guest}' may be at its destination: the journal of an earlier migration is damaged (${file}: ${content.damage}); see 'switchover recover ${folder}'`;
  }
  const { begun, last } = content;
  if (begun.guest !== guest || isClosing(last)) return undefined;
  const { pid, host, name: process } = begun.process;
  if (life === 'lives') {
    return `guest '${guest}' is being migrated already, by process ${pid} on ${host} (${file}): wait for it, or end it and run 'switchover recover ${folder}'`;
  }
  if (life === 'unknown') {
    return `guest '${guest}' is being migrated already, by process ${pid} on ${host} (${file}), which cannot be asked from here; if it has ended for certain, run '${declareDeadCommand([folder], process)}'`;
  }
  if (last === 'commit' || last === 'running') {
    return `guest '${guest}' may be at its destination: an earlier migration ended after its commit (${file}); settle it with 'switchover recover ${folder}'`;
  }
  return undefined;
}
