import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Failure, orFailure } from '../../platform/failure.ts';
import { parseJson } from '../../platform/json.ts';
import { readText, writeText } from '../../platform/text-file.ts';
import { type KnownMachine, knownMachineSchema } from '../../qemu/known-machine.ts';
import {
  runState,
  type Settled,
  settleDestination,
  type Verdict,
  withMonitor,
} from './settle-destination.ts';

/** By which both ends know a move to another host: of a daemon's migration its id. */
export const moveSchema = z.uuid();

const noteSchema = z.strictObject({
  format: z.literal('switchover-arrival/1'),
  move: moveSchema,
  machine: knownMachineSchema,
});

/**
 * Machines that have come to this host whole, and of which their sources have not said yet whose they are. They are written down, so that
 * whoever listens here later can be told.
 */
export class Arrivals {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** What came to the same monitor before has ended. @throws Failure it cannot be written, or read */
  note(move: string, machine: KnownMachine): void {
    for (const before of notesIn(this.#folder)) {
      if (before.machine.socket === machine.socket) this.forget(before.move);
    }
    writeText(this.#file(move), JSON.stringify({ format: 'switchover-arrival/1', move, machine }));
  }

  /** Of one that is not decided. @throws Failure what is written down of it cannot be read */
  machineOf(move: string): KnownMachine | undefined {
    const file = this.#file(move);
    return statSync(file, { throwIfNoEntry: false }) && read(file).machine;
  }

  /** It is known whose it is. */
  forget(move: string): void {
    rmSync(this.#file(move), { force: true });
  }

  /** Does what its source says of one. @throws Failure its QEMU cannot be asked */
  async settle(move: string, verdict: Verdict): Promise<Settled> {
    const machine = this.machineOf(move);
    if (!machine) {
      if (verdict === 'end') return { did: 'stayed at its source' };
      return { did: 'left alone', reason: 'its receiver knows nothing of it: it runs there, or has ended' };
    }
    const settled = await settleDestination(machine, verdict);
    if (settled.did !== 'left alone') this.forget(move);
    return settled;
  }

  #file(move: string): string {
    return join(this.#folder, `${move}.arrival.json`);
  }
}

const ARRIVAL_FILE = /^[0-9a-f-]{36}\.arrival\.json$/;

/**
 * Monitors of machines that stand complete here, or may. What runs or has ended is forgotten.
 * @throws Failure the folder cannot be read
 */
export async function undecidedArrivals(folder: string): Promise<readonly string[]> {
  const undecided = [];
  for (const { move, machine } of notesIn(folder)) {
    const state = await withMonitor(machine, runState, 'ended').catch(() => 'unknown');
    if (state === 'paused' || state === 'unknown') undecided.push(machine.socket);
    else new Arrivals(folder).forget(move);
  }
  return undecided;
}

function notesIn(folder: string): readonly z.infer<typeof noteSchema>[] {
  const names = orFailure(`cannot read ${folder}`, () => readdirSync(folder));
  return names.filter((one) => ARRIVAL_FILE.test(one)).map((name) => read(join(folder, name)));
}

function read(file: string): z.infer<typeof noteSchema> {
  const parsed = noteSchema.safeParse(parseJson(readText(file), file));
  if (parsed.success) return parsed.data;
  throw new Failure(`${file}: not what Switchover writes there; move it away`);
}
