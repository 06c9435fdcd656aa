import { rmSync } from 'node:fs';
import { printable, reasonOf } from '../../platform/failure.ts';
import { lifeOf, removeSign } from '../../platform/life-sign.ts';
import { isEnding, migrationStatus, monitorOf, untilIdle } from '../../qemu/known-machine.ts';
import type { Qmp } from '../../qemu/qmp.ts';
import { type MachineMove, machineJournalsIn, type Place, readMachineJournal } from './machine-journal.ts';
import { ownerOf, type SourceWord } from './machine-owner.ts';
import { writtenBy } from './source-machine.ts';

/** What became of a machine that was on its way when whoever moved it was killed. */
export interface SettledMachine {
  /** The monitor of its source. */
  readonly socket: string;
  /** Of its destination: its monitor, or the address of its receiver. */
  readonly destination: string;
  readonly did:
    | 'runs at its destination'
    | 'stands paused at its destination'
    | 'stayed at its source'
    | 'left alone';
  /** Why it was left alone. */
  readonly reason?: string;
}

/**
 * Finishes what processes that were killed have begun, by their journals in this folder: a machine that its source has given away is told
 * to run at its destination, and one that stayed at its source never runs there.
 * @param declaredDead names of processes of which their user says that they have ended
 * @throws Failure the folder cannot be read
 */
export async function settleMachines(
  folder: string,
  declaredDead: readonly string[] = [],
): Promise<readonly SettledMachine[]> {
  const settled: SettledMachine[] = [];
  for (const file of machineJournalsIn(folder)) {
    const move = readMachineJournal(file);
    const about = { socket: move.source.socket, destination: nameOf(move.destination) };
    const did = await settle(folder, move, declaredDead).catch((cause) => ({
      ...{ did: 'left alone' as const, reason: printable(reasonOf(cause)) },
    }));
    if (did.did !== 'left alone') {
      rmSync(file, { force: true });
      removeSign(folder, move.process.name);
    }
    settled.push({ ...about, ...did });
  }
  return settled;
}

type Did = Pick<SettledMachine, 'did' | 'reason'>;

async function settle(folder: string, move: MachineMove, declaredDead: readonly string[]): Promise<Did> {
  const { process, source, destination, last, staysPaused = false } = move;
  const life = await lifeOf(folder, process);
  if (life === 'lives') return leftAlone(`process ${process.pid} is moving it`);
  if (life === 'unknown' && !declaredDead.includes(process.name)) {
    return leftAlone(
      `process ${process.pid} on ${process.host} may be moving it; if it has ended: --declare-dead ${process.name}`,
    );
  }
  const word = await withMonitor(source, (qmp) => wordOf(qmp, move), 'gone');
  const owner = ownerOf(last, word);
  if (owner === 'undecided') {
    const why =
      word === 'gone'
        ? 'its source has ended, and nobody knows whether it had gone on before'
        : 'its source has given it away, by what it says to another destination';
    return leftAlone(`${why}. If it runs nowhere else, cont at the destination runs it`);
  }
  if ('receiver' in destination) {
    if (owner === 'source') return { did: 'stayed at its source' };
    return leftAlone('it is the destination’s now, complete and paused there: run it there (cont)');
  }
  if (owner === 'source') {
    await withMonitor(destination, abandon, undefined);
    return { did: 'stayed at its source' };
  }
  const ended = 'its source has given it away, and its destination has ended';
  return withMonitor(destination, (qmp) => run(qmp, staysPaused), leftAlone(ended));
}

/** @param gone what it comes to if that QEMU has ended, or ends meanwhile */
async function withMonitor<T>(
  machine: MachineMove['source'],
  act: (qmp: Qmp) => Promise<T>,
  gone: T,
): Promise<T> {
  let qmp: Qmp | undefined;
  try {
    qmp = await monitorOf(machine);
    return qmp ? await act(qmp) : gone;
  } catch (cause) {
    if (await isEnding(machine)) return gone;
    throw cause;
  } finally {
    qmp?.close();
  }
}

/** Another migration may have come after ours, and somebody may have told the machine to go on. */
async function wordOf(qmp: Qmp, { written }: MachineMove): Promise<SourceWord> {
  const status = await untilIdle(qmp);
  if ((await runState(qmp)) !== 'postmigrate') return 'kept';
  if (status !== 'completed') return 'given to another';
  const now = await writtenBy(qmp);
  const isOurs = now.pages === written?.pages && now.syncs === written.syncs && now.bytes === written.bytes;
  return isOurs ? 'given away' : 'given to another';
}

/** What has come there must not run. A machine that runs there was somebody's decision. */
async function abandon(qmp: Qmp): Promise<void> {
  const state = await runState(qmp);
  if (state === 'inmigrate' || state === 'paused') await qmp.execute('quit');
}

async function run(qmp: Qmp, staysPaused: boolean): Promise<Did> {
  const state = await runState(qmp);
  if (state === 'running') return { did: 'runs at its destination' };
  if (state !== 'paused' || (await migrationStatus(qmp)) !== 'completed') {
    return leftAlone(`its source has given it away, and its destination is '${printable(state)}'`);
  }
  if (staysPaused) return { did: 'stands paused at its destination' };
  await qmp.execute('cont');
  return { did: 'runs at its destination' };
}

async function runState(qmp: Qmp): Promise<string> {
  return (await qmp.execute<{ readonly status: string }>('query-status')).status;
}

function nameOf(place: Place): string {
  return 'receiver' in place ? place.receiver : place.socket;
}

function leftAlone(reason: string): Did {
  return { did: 'left alone', reason };
}
