import { existsSync, rmSync } from 'node:fs';
import type { End } from '../../core/wire/handover.ts';
import { isListening, Qmp } from '../../qemu/qmp.ts';
import { type JournalFile, journalsIn, readJournals } from '../../transport/journal-folder.ts';
import { machineFolder, monitorOf } from './qemu.ts';

/** What was done with a machine that a migration had left behind. */
export interface Reconciled {
  readonly migration: string;
  readonly guest: string;
  readonly end: End;
  readonly did: 'runs already' | 'runs again' | 'ended' | 'had ended';
}

/**
 * Carries out what the journals say, once they are closed: the owner's machine runs, the other one ends. A machine
 * whose migration is still open, or is being worked at by a process that may live, is left alone; asking again does no
 * harm.
 * @param declaredDead names of processes of which their user says that they have ended
 * @throws Failure a machine does not obey
 */
export async function reconcile(
  folders: readonly string[],
  declaredDead: readonly string[],
): Promise<readonly Reconciled[]> {
  const places = [...new Set(folders)].flatMap(journalsIn).filter(({ name }) => hasMachine(name.migration));
  const journals = await readJournals(places, declaredDead);
  const done: Reconciled[] = [];
  for (const migration of new Set(journals.map(({ name }) => name.migration))) {
    const ends = journals.filter(({ name }) => name.migration === migration);
    const owner = ownerOf(ends);
    if (owner === undefined) continue;
    const guest = ends.find(({ content }) => content.begun)!.content.begun!.guest;
    const other = owner === 'source' ? 'destination' : 'source';
    // First the one that must not run.
    for (const end of [other, owner] as const) {
      const did = await settle(machineFolder(migration, end), end === owner);
      if (did) done.push({ migration, guest, end, did });
    }
  }
  return done;
}

function hasMachine(migration: string): boolean {
  return (['source', 'destination'] as const).some((end) => existsSync(machineFolder(migration, end)));
}

/** Undefined: not decided, or not for us to carry out. */
function ownerOf(ends: readonly JournalFile[]): End | undefined {
  if (ends.some(({ life }) => life !== 'has ended')) return undefined;
  const last = (entry: 'aborted' | 'ended') =>
    ends.some(({ content }) => 'last' in content && content.last === entry);
  if (last('aborted')) return 'source';
  return last('ended') ? 'destination' : undefined;
}

/** @throws Failure it is there and does not obey: nothing is run elsewhere then. */
async function settle(folder: string, owns: boolean): Promise<Reconciled['did'] | undefined> {
  if (!existsSync(folder)) return undefined;
  const monitor = monitorOf(folder);
  if (!(await isListening(monitor))) {
    rmSync(folder, { recursive: true });
    return 'had ended';
  }
  const qmp = await Qmp.connect(monitor, () => `the machine in ${folder} does not answer`);
  try {
    if (owns) {
      const { running } = await qmp.execute<{ running: boolean }>('query-status');
      if (!running) await qmp.execute('cont');
      return running ? 'runs already' : 'runs again';
    }
    await qmp.execute('stop');
    // It may hang up before it has answered.
    await qmp.execute('quit').catch(() => {});
    rmSync(folder, { recursive: true });
    return 'ended';
  } finally {
    qmp.close();
  }
}
