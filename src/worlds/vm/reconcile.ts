import { existsSync, rmSync } from 'node:fs';
import type { End } from '../../core/wire/handover.ts';
import { lives } from '../../platform/process-identity.ts';
import { type JournalFile, readFolder } from '../../transport/journal-file.ts';
import { machineFolder, monitorOf } from './qemu.ts';
import { isListening, Qmp } from './qmp.ts';

/** What was done with a machine that a migration had left behind. */
export interface Reconciled {
  readonly migration: string;
  readonly guest: string;
  readonly end: End;
  readonly did: 'runs already' | 'runs again' | 'ended' | 'had ended';
}

/**
 * Carries out what the journals say, once they are closed: the owner's machine runs, the other one ends. A machine
 * whose migration is still open, or is being worked at by a living process, is left alone; asking again does no harm.
 * @throws Failure a journal cannot be read, or a machine does not obey
 */
export async function reconcile(folders: readonly string[]): Promise<readonly Reconciled[]> {
  const journals = [...new Set(folders)].flatMap((folder) => readFolder(folder).journals);
  const done: Reconciled[] = [];
  for (const migration of new Set(journals.map(({ begun }) => begun.migration))) {
    const ends = journals.filter(({ begun }) => begun.migration === migration);
    const owner = ownerOf(ends);
    if (owner === undefined) continue;
    const { guest } = ends[0]!.begun;
    const other = owner === 'source' ? 'destination' : 'source';
    // First the one that must not run.
    for (const end of [other, owner] as const) {
      const did = await settle(machineFolder(migration, end), end === owner);
      if (did) done.push({ migration, guest, end, did });
    }
  }
  return done;
}

/** Undefined: not decided, or not for us to carry out. */
function ownerOf(ends: readonly JournalFile[]): End | undefined {
  if (ends.some(({ begun }) => lives(begun.process) !== false)) return undefined;
  if (ends.some(({ last }) => last === 'aborted')) return 'source';
  return ends.some(({ last }) => last === 'ended') ? 'destination' : undefined;
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
