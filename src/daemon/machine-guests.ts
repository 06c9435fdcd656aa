import type { Socket } from 'node:net';
import type { Owner } from '../core/migration/migration-result.ts';
import { Failure } from '../platform/failure.ts';
import { restoreLeft } from '../qemu/borrowed-settings.ts';
import { restoreThreads } from '../qemu/borrowed-threads.ts';
import type { Arrival, ConnectionEnd } from '../transport/arrival.ts';
import type { Credentials } from '../transport/credentials.ts';
import type { OtherArrivals } from '../transport/migration-server.ts';
import { Arrivals, undecidedArrivals } from '../worlds/qemu/arrivals.ts';
import { type MachineSlot, takeInMachine } from '../worlds/qemu/arriving-machine.ts';
import { beginsWord } from '../worlds/qemu/machine-channel.ts';
import type { Settled, Verdict } from '../worlds/qemu/settle-destination.ts';
import { type SettledMachine, settleMachines } from '../worlds/qemu/settle-machines.ts';
import type { MachineSocket } from './configuration.ts';
import type { Fate } from './fate.ts';
import type { Log } from './log.ts';
import { MachineGuest } from './machine-guest.ts';
import { NotFound } from './refusals.ts';
import type { GuestView } from './view-schemas.ts';

/** For the receiver at this address. */
type CredentialsOf = (receiver: string) => Credentials;

interface MachineGuestsParts {
  /** The folder in which is written down what whoever comes after this process must know. */
  readonly journals: string;
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
  readonly #arrivals: Arrivals;
  /** Monitors of machines that are complete and paused here, and whose they are is not known. */
  #undecided = new Set<string>();
  /** What became of moves that a process before this one had begun, by the monitor of the machine. */
  #fates: ReadonlyMap<string, Fate> = new Map();

  constructor(sockets: readonly MachineSocket[], parts: MachineGuestsParts) {
    this.#parts = parts;
    this.#arrivals = new Arrivals(parts.journals);
    const changed = (machine: MachineGuest) => this.#told(machine);
    this.#machines = new Map(sockets.map((socket) => [socket.name, new MachineGuest(socket, changed)]));
  }

  /** Settles what a process before this one has left behind, and looks how each machine does. */
  async begin(credentialsOf: CredentialsOf): Promise<void> {
    this.#fates = await this.settle(credentialsOf);
    this.#undecided = new Set(await undecidedArrivals(this.#parts.journals));
    await Promise.all([...this.#machines.values()].map((machine) => machine.look()));
  }

  /**
   * Finishes moves that ended in the middle, as `switchover recover` does.
   * @returns what became of each, by the monitor of its machine
   */
  async settle(credentialsOf: CredentialsOf): Promise<ReadonlyMap<string, Fate>> {
    const { journals, log } = this.#parts;
    const moves = await settleMachines(journals, [], credentialsOf);
    for (const { socket, destination, did, reason } of moves) {
      const why = reason === undefined ? '' : `: ${reason}`;
      log(`the machine at ${socket}, which was on its way to ${destination}, ${did}${why}`);
    }
    const [settings, threads] = [await restoreLeft(journals), await restoreThreads(journals)];
    for (const [what, all] of Object.entries({
      'the migration settings': settings,
      'the threads': threads,
    })) {
      for (const { socket, did, reason } of all)
        if (did === 'left alone') log(`${what} of ${socket} are left alone: ${reason}`);
    }
    return new Map(
      moves.map(({ socket, did, reason }) => [
        socket,
        { owner: ownerAfter[did], why: reason ?? `it ${did}` },
      ]),
    );
  }

  get views(): readonly GuestView[] {
    return [...this.#machines.values()].map(({ view }) =>
      this.#isUndecided(view) ? { ...view, owner: 'unknown', why: UNDECIDED } : view,
    );
  }

  /** @throws NotFound @throws Failure it cannot be paused or resumed, and why */
  change(name: string, change: 'pause' | 'resume'): Promise<void> {
    return this.#decided(name).change(change);
  }

  /** One that can leave. @throws NotFound @throws Failure it cannot, and why */
  async movable(name: string): Promise<MachineGuest> {
    const machine = this.#decided(name);
    await machine.insistOnMovable();
    return machine;
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
    const fate = this.#fates.get(machine.socket);
    if (fate) return fate;
    if (machine.state === 'unreachable') return { owner: 'nobody', why: machine.view.why! };
    return machine.state === 'moved'
      ? { owner: 'destination', why: 'it has moved' }
      : { owner: 'source', why: 'it is where it was' };
  }

  are(head: Uint8Array): boolean {
    return beginsWord(head);
  }

  async takeIn(socket: Socket, authenticated: () => void): Promise<ConnectionEnd> {
    const { began } = this.#parts;
    const arrivals = this.#arrivals;
    const [slotFor, settle] = [this.#slotFor, this.#settleArrival];
    const end = await takeInMachine(socket, { slotFor, settle, arrivals, began, authenticated });
    if (end.arrival?.outcome === 'failed') {
      const left = arrivals.machineOf(end.arrival.migration);
      if (left) this.#undecided.add(left.socket);
    }
    return end;
  }

  end(): void {
    for (const machine of this.#machines.values()) machine.close();
  }

  #decided(name: string): MachineGuest {
    const machine = this.get(name);
    if (this.#isUndecided(machine.view)) throw new Failure(`guest '${name}': ${UNDECIDED}`);
    return machine;
  }

  #isUndecided({ name, state }: GuestView): boolean {
    return state === 'paused' && this.#undecided.has(this.get(name).socket);
  }

  /** A monitor has room for one client: that of the machine is lent meanwhile. */
  readonly #settleArrival = async (move: string, verdict: Verdict): Promise<Settled> => {
    const socket = this.#arrivals.machineOf(move)?.socket;
    const machine = [...this.#machines.values()].find((one) => one.socket === socket);
    const giveBack = await machine?.borrow('arriving');
    try {
      const settled = await this.#arrivals.settle(move, verdict);
      if (socket !== undefined && settled.did !== 'left alone') this.#undecided.delete(socket);
      return settled;
    } finally {
      await giveBack?.();
    }
  };

  readonly #slotFor = async (guest: string): Promise<MachineSlot> => {
    this.#parts.insistOnRoom();
    const machine = this.get(guest);
    await machine.insistOnWaiting();
    const giveBack = await machine.borrow('arriving');
    return { qmp: machine.socket, release: () => void giveBack() };
  };

  #told({ name, view: { state, why } }: MachineGuest): void {
    const { log, changed } = this.#parts;
    const because = why === null ? '' : `: ${why}`;
    log(`guest '${name}' is ${state}${because}`, { event: 'machine', guest: name, state, reason: why });
    changed();
  }
}

const UNDECIDED =
  'it has come whole, and its source was lost before it had said that it is done: whoever moved it says whose it is when it comes back (its daemon, or switchover recover); if that host is lost for good, cont at its monitor runs it';

const ownerAfter: Readonly<Record<SettledMachine['did'], Owner>> = {
  'runs at its destination': 'destination',
  'stands paused at its destination': 'destination',
  'stayed at its source': 'source',
  'left alone': 'nobody',
};
