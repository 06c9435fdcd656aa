import type { Socket } from 'node:net';
import type { Owner } from '../core/migration/migration-result.ts';
import { Failure } from '../platform/failure.ts';
import { restoreLeft } from '../qemu/borrowed-settings.ts';
import type { Arrival, ConnectionEnd } from '../transport/arrival.ts';
import type { OtherArrivals } from '../transport/migration-server.ts';
import { type MachineSlot, takeInMachine } from '../worlds/qemu/arriving-machine.ts';
import { beginsWord } from '../worlds/qemu/machine-channel.ts';
import { type SettledMachine, settleMachines } from '../worlds/qemu/settle-machines.ts';
import type { MachineSocket } from './configuration.ts';
import type { Fate } from './fate.ts';
import type { Log } from './log.ts';
import { MachineGuest } from './machine-guest.ts';
import { NotFound } from './refusals.ts';
import type { GuestView } from './view-schemas.ts';

interface MachineGuestsParts {
  readonly log: Log;
  /** @throws NotAdmitted nothing new could be written down */
  readonly insistOnRoom: () => void;
  readonly began: (arrival: Arrival) => void;
  /** Something of what is shown has changed. */
  readonly changed: () => void;
}

/** The guests of this daemon that are machines of somebody else's QEMU: each leaves by its monitor, or arrives where one waits. */
export class MachineGuests implements OtherArrivals {
  readonly #machines: ReadonlyMap<string, MachineGuest>;
  readonly #parts: MachineGuestsParts;
  /** What became of moves that a process before this one had begun, by the monitor of the machine. */
  #settled: ReadonlyMap<string, SettledMachine> = new Map();

  constructor(sockets: readonly MachineSocket[], parts: MachineGuestsParts) {
    this.#parts = parts;
    const changed = (machine: MachineGuest) => this.#told(machine);
    this.#machines = new Map(sockets.map((socket) => [socket.name, new MachineGuest(socket, changed)]));
  }

  /** Settles what a process before this one has left behind there, and looks how each machine does. */
  async begin(journals: string): Promise<void> {
    const { log } = this.#parts;
    const moves = await settleMachines(journals);
    for (const { socket, destination, did, reason } of moves) {
      const why = reason === undefined ? '' : `: ${reason}`;
      log(`the machine at ${socket}, which was on its way to ${destination}, ${did}${why}`);
    }
    for (const { socket, did, reason } of await restoreLeft(journals)) {
      if (did === 'left alone') log(`the migration settings of ${socket} are left alone: ${reason}`);
    }
    this.#settled = new Map(moves.map((move) => [move.socket, move]));
    await Promise.all([...this.#machines.values()].map((machine) => machine.look()));
  }

  get views(): readonly GuestView[] {
    return [...this.#machines.values()].map(({ view }) => view);
  }

  has(name: string): boolean {
    return this.#machines.has(name);
  }

  /** @throws Failure a machine has that name */
  insistOnOther(name: string): void {
    if (this.has(name)) throw new Failure(`'${name}' is a machine of QEMU of this configuration`);
  }

  /** @throws NotFound */
  get(name: string): MachineGuest {
    const machine = this.#machines.get(name);
    if (machine) return machine;
    throw new NotFound(`no machine '${name}' here`);
  }

  /** Whose a machine is that was on its way when the process before this one ended. */
  fateOf(name: string): Fate {
    const machine = this.#machines.get(name);
    if (!machine) return { owner: 'nobody', why: 'it is not in the configuration any more' };
    const settled = this.#settled.get(machine.socket);
    if (settled) return { owner: ownerAfter[settled.did], why: settled.reason ?? `it ${settled.did}` };
    if (machine.state === 'unreachable') return { owner: 'nobody', why: machine.view.why! };
    return machine.state === 'moved'
      ? { owner: 'destination', why: 'it has moved' }
      : { owner: 'source', why: 'it is where it was' };
  }

  are(head: Uint8Array): boolean {
    return beginsWord(head);
  }

  takeIn(socket: Socket, authenticated: () => void): Promise<ConnectionEnd> {
    const { began } = this.#parts;
    return takeInMachine(socket, { slotFor: (guest) => this.#slotFor(guest), began, authenticated });
  }

  end(): void {
    for (const machine of this.#machines.values()) machine.close();
  }

  async #slotFor(guest: string): Promise<MachineSlot> {
    this.#parts.insistOnRoom();
    const machine = this.get(guest);
    await machine.insistOnWaiting();
    const giveBack = await machine.borrow('arriving');
    return { qmp: machine.socket, release: () => void giveBack() };
  }

  #told({ name, view: { state, why } }: MachineGuest): void {
    const { log, changed } = this.#parts;
    const because = why === null ? '' : `: ${why}`;
    log(`guest '${name}' is ${state}${because}`, { event: 'machine', guest: name, state, reason: why });
    changed();
  }
}

const ownerAfter: Readonly<Record<SettledMachine['did'], Owner>> = {
  'runs at its destination': 'destination',
  'stands paused at its destination': 'destination',
  'stayed at its source': 'source',
  'left alone': 'nobody',
};
