import { rmSync } from 'node:fs';
import { printable, reasonOf } from '../../platform/failure.ts';
import { lifeOf, removeSign } from '../../platform/life-sign.ts';
import { untilIdle } from '../../qemu/known-machine.ts';
import type { Qmp } from '../../qemu/qmp.ts';
import { parseAddress } from '../../transport/address.ts';
import type { Credentials } from '../../transport/credentials.ts';
import {
  type MachineMove,
  machineJournalsIn,
  type Place,
  type RemotePlace,
  readMachineJournal,
} from './machine-journal.ts';
import { ownerOf, type SourceWord } from './machine-owner.ts';
import { RemoteDestination } from './remote-destination.ts';
import {
  leftAlone,
  runState,
  type Settled,
  settleDestination,
  type Verdict,
  withMonitor,
} from './settle-destination.ts';
import { writtenBy } from './source-machine.ts';

/** A machine that was on its way when whoever moved it was killed, and what became of it. */
export interface SettledMachine extends Settled {
  /** The monitor of its source. */
  readonly socket: string;
  /** Of its destination: its monitor, or the address of its receiver. */
  readonly destination: string;
}

/**
 * Finishes what processes that were killed have begun, by their journals in this folder: a machine that its source has given away is told
 * to run at its destination, and one that stayed at its source never runs there.
 * @param declaredDead names of processes of which their user says that they have ended
 * @param credentialsOf for the receiver at this address on another host
 * @throws Failure the folder cannot be read
 */
export async function settleMachines(
  folder: string,
  declaredDead: readonly string[] = [],
  credentialsOf: (receiver: string) => Credentials = () => ({ key: null }),
): Promise<readonly SettledMachine[]> {
  const settled: SettledMachine[] = [];
  for (const file of machineJournalsIn(folder)) {
    const move = readMachineJournal(file);
    const about = { socket: move.source.socket, destination: nameOf(move.destination) };
    const did = await settle(folder, move, declaredDead, credentialsOf).catch((cause) => ({
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

async function settle(
  folder: string,
  move: MachineMove,
  declaredDead: readonly string[],
  credentialsOf: (receiver: string) => Credentials,
): Promise<Settled> {
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
  const verdict = owner === 'source' ? 'end' : staysPaused ? 'stay paused' : 'run';
  if (!('receiver' in destination)) return settleDestination(destination, verdict);
  return settleThere(destination, verdict, credentialsOf(destination.receiver));
}

/** Has the receiver on another host do it, if it can be asked. */
async function settleThere(
  { receiver, move }: RemotePlace,
  verdict: Verdict,
  credentials: Credentials,
): Promise<Settled> {
  try {
    const there = { ...parseAddress(receiver, 'the receiver'), ...credentials };
    return await RemoteDestination.settle(there, move, verdict);
  } catch (cause) {
    const unknown = `its receiver could not be asked (${printable(reasonOf(cause))})`;
    if (verdict !== 'end') {
      return leftAlone(
        `its source has given it away, and ${unknown}. Where it stands there, complete, cont runs it`,
      );
    }
    return { did: 'stayed at its source', reason: `${unknown}: what stands there, complete, must never run` };
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

function nameOf(place: Place): string {
  return 'receiver' in place ? place.receiver : place.socket;
}
