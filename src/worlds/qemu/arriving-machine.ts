import type { Socket } from 'node:net';
import type { Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import { Failure, printable, reasonOf } from '../../platform/failure.ts';
import { type Arrival, arrivalEnd, type ConnectionEnd } from '../../transport/arrival.ts';
import { defaultLimits } from '../../transport/limits.ts';
import type { Arrivals } from './arrivals.ts';
import { LocalDestination } from './local-destination.ts';
import { type DepartingGuest, MachineChannel } from './machine-channel.ts';
import type { Settled, Verdict } from './settle-destination.ts';

/** Where a QEMU waits for a machine. */
export interface MachineSlot {
  /** Its monitor, which nobody else uses until it is released. */
  readonly qmp: string;
  release(): void;
}

export interface ArrivingMachineOptions {
  /** Has a QEMU ready for this guest. @throws Failure none waits for it here */
  slotFor(guest: string): Promise<MachineSlot>;
  /** Where it is written down that one is complete here, until it is known whose it is. */
  readonly arrivals: Arrivals;
  /** Does what its source says of one that came before. @throws Failure its QEMU cannot be asked */
  settle(move: string, verdict: Verdict): Promise<Settled>;
  /** Called when a QEMU waits for it, and its memory will come. */
  began?(arrival: Arrival): void;
  /** Told when a machine is complete here, from when on nobody but its source knows whose it is, and when it runs. */
  readonly came?: ((how: 'complete' | 'running') => void) | undefined;
  /** The source need not prove itself any more. */
  authenticated(): void;
}

/**
 * Takes in one machine of somebody else over one connection, which is encrypted and authenticated by then, and runs it only when its
 * source says so. A source that is lost before everything has come ends the waiting QEMU; one that is lost later leaves the machine
 * complete and paused, since nobody here knows whose it is.
 * @returns how it ended @throws Failure it was refused; its source has been told
 */
export async function takeInMachine(socket: Socket, options: ArrivingMachineOptions): Promise<ConnectionEnd> {
  const { unauthenticatedMs, silenceMs } = defaultLimits;
  const channel = new MachineChannel(socket);
  socket.setTimeout(silenceMs, () => socket.destroy());
  let slot: MachineSlot | undefined;
  try {
    const first = await channel.next(unauthenticatedMs);
    if (first.kind !== 'prepare' && first.kind !== 'settle') {
      throw new Failure(`expected 'prepare', found '${first.kind}'`);
    }
    options.authenticated();
    if (first.kind === 'settle') {
      const settled = await options.settle(first.move, first.verdict);
      channel.say({ kind: 'settled', ...settled });
      const whose = first.verdict === 'end' ? 'not ours' : 'ours';
      return { line: `its source says that the machine is ${whose}: it ${settled.did}` };
    }
    const peer = `${socket.remoteAddress}:${socket.remotePort}`;
    slot = await options.slotFor(first.guest);
    const machine = await LocalDestination.open(slot.qmp);
    return await new ArrivingMachine({ channel, machine, departing: first, peer }, options).takeIn();
  } catch (cause) {
    channel.say({ kind: 'refused', why: printable(reasonOf(cause)) });
    throw cause;
  } finally {
    channel.close();
    slot?.release();
  }
}

interface ArrivingParts {
  readonly channel: MachineChannel;
  readonly machine: LocalDestination;
  readonly departing: DepartingGuest;
  readonly peer: string;
}

class ArrivingMachine {
  readonly #channel: MachineChannel;
  readonly #machine: LocalDestination;
  readonly #move: string;
  readonly #arrival: Arrival;
  readonly #options: ArrivingMachineOptions;
  #isComplete = false;
  #resumeNs: Nanos | undefined;

  constructor(
    { channel, machine, departing: { guest, move }, peer }: ArrivingParts,
    options: ArrivingMachineOptions,
  ) {
    this.#channel = channel;
    this.#machine = machine;
    this.#move = move;
    this.#arrival = { migration: move, guest: printable(guest), peer };
    this.#options = options;
  }

  async takeIn(): Promise<ConnectionEnd> {
    const machine = this.#machine;
    const guest = `guest '${this.#arrival.guest}'`;
    try {
      await this.#connect();
      this.#options.began?.(this.#arrival);
      const isHere = await this.#untilDecided();
      return this.#ended(isHere ? `${guest} runs here` : `${guest} stayed at its source`);
    } catch (cause) {
      const why = reasonOf(cause);
      if (this.#isComplete) {
        return this.#ended(
          `${guest}: ${why}: the machine is here, complete and paused; switchover recover at its source says whose it is`,
        );
      }
      await machine.abandon();
      return this.#ended(`${guest} did not arrive: ${why}`);
    } finally {
      machine.close();
    }
  }

  async #connect(): Promise<void> {
    const [channel, machine] = [this.#channel, this.#machine];
    const known = await machine.place();
    const stream = await machine.connect();
    channel.say({ kind: 'waiting' });
    channel.stream.pipe(stream);
    stream.pipe(channel.stream, { end: false });
    stream.on('error', () => channel.stream.destroy());
    channel.stream.on('close', () => stream.destroy());
    machine.completed.then(
      () => {
        this.#isComplete = true;
        this.#options.arrivals.note(this.#move, known);
        this.#options.came?.('complete');
        channel.say({ kind: 'completed' });
      },
      () => channel.stream.destroy(),
    );
  }

  /** @returns whether it runs here now */
  async #untilDecided(): Promise<boolean> {
    const [channel, machine] = [this.#channel, this.#machine];
    const { arrivals, came } = this.#options;
    const last = await channel.next();
    if (last.kind === 'abandon') {
      await machine.abandon();
      arrivals.forget(this.#move);
      return false;
    }
    if (last.kind !== 'run' || !this.#isComplete) {
      throw new Failure(`found '${last.kind}' before all had come`);
    }
    const toldAtNs = clockNs();
    this.#resumeNs = (await machine.run()) - toldAtNs;
    channel.say({ kind: 'running' });
    came?.('running');
    return true;
  }

  #ended(line: string): ConnectionEnd {
    const isHere = this.#resumeNs !== undefined;
    return { line, arrival: arrivalEnd(this.#arrival, isHere, this.#resumeNs) };
  }
}
