import type { Socket } from 'node:net';
import type { Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import { Failure, printable, reasonOf } from '../../platform/failure.ts';
import { type Arrival, arrivalEnd, type ConnectionEnd } from '../../transport/arrival.ts';
import { defaultLimits } from '../../transport/limits.ts';
import { LocalDestination } from './local-destination.ts';
import { MachineChannel } from './machine-channel.ts';

/** Where a QEMU waits for a machine. */
export interface MachineSlot {
  /** Its monitor, which nobody else uses until it is released. */
  readonly qmp: string;
  release(): void;
}

export interface ArrivingMachineOptions {
  /** Has a QEMU ready for this guest. @throws Failure none waits for it here */
  slotFor(guest: string): Promise<MachineSlot>;
  /**
   * By migration: guests that are complete and paused here, because their sources were lost before they had said that they are done.
   */
  readonly undecided: Map<string, string>;
  /** Called when a QEMU waits for it, and its memory will come. */
  began?(arrival: Arrival): void;
  /** The source need not prove itself any more. */
  authenticated(): void;
}

/**
 * Takes in one machine of somebody else over one connection, which is encrypted and authenticated by then, and runs it only when its
 * source says so. A source that is lost before everything has come ends the waiting QEMU; one that is lost later leaves the machine
 * complete and paused, since nobody here knows whose it is.
 * @returns how it ended @throws Failure it was refused; its source has been told
 */
export async function takeInMachine(
  socket: Socket,
  { slotFor, undecided, began, authenticated }: ArrivingMachineOptions,
): Promise<ConnectionEnd> {
  const { unauthenticatedMs, silenceMs } = defaultLimits;
  const channel = new MachineChannel(socket);
  socket.setTimeout(silenceMs, () => socket.destroy());
  const peer = `${socket.remoteAddress}:${socket.remotePort}`;
  let slot: MachineSlot | undefined;
  try {
    const first = await channel.next(unauthenticatedMs);
    if (first.kind !== 'prepare') throw new Failure(`expected 'prepare', found '${first.kind}'`);
    const { guest, migration } = first;
    authenticated();
    const arrival = { migration, guest: printable(guest), peer };
    slot = await slotFor(guest);
    const machine = await LocalDestination.open(slot.qmp);
    const arriving = new ArrivingMachine(channel, machine, arrival);
    const end = await arriving.takeIn(() => began?.(arrival));
    if (arriving.isUndecided) undecided.set(migration, guest);
    return end;
  } catch (cause) {
    channel.say({ kind: 'refused', why: printable(reasonOf(cause)) });
    throw cause;
  } finally {
    channel.close();
    slot?.release();
  }
}

class ArrivingMachine {
  readonly #channel: MachineChannel;
  readonly #machine: LocalDestination;
  readonly #arrival: Arrival;
  #isComplete = false;
  /** It is complete and paused here, and nobody here knows whose it is. */
  isUndecided = false;
  #resumeNs: Nanos | undefined;

  constructor(channel: MachineChannel, machine: LocalDestination, arrival: Arrival) {
    this.#channel = channel;
    this.#machine = machine;
    this.#arrival = arrival;
  }

  async takeIn(began: () => void): Promise<ConnectionEnd> {
    const machine = this.#machine;
    const guest = `guest '${this.#arrival.guest}'`;
    try {
      await this.#connect();
      began();
      const isHere = await this.#untilDecided();
      return this.#ended(isHere ? `${guest} runs here` : `${guest} stayed at its source`);
    } catch (cause) {
      const why = reasonOf(cause);
      if (this.#isComplete) {
        this.isUndecided = true;
        return this.#ended(
          `${guest}: ${why}: the machine is here, complete and paused; run it (cont) only if its source is done`,
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
    const stream = await machine.connect();
    channel.say({ kind: 'waiting' });
    channel.stream.pipe(stream);
    stream.pipe(channel.stream, { end: false });
    stream.on('error', () => channel.stream.destroy());
    channel.stream.on('close', () => stream.destroy());
    machine.completed.then(
      () => {
        this.#isComplete = true;
        channel.say({ kind: 'completed' });
      },
      () => channel.stream.destroy(),
    );
  }

  /** @returns whether it runs here now */
  async #untilDecided(): Promise<boolean> {
    const [channel, machine] = [this.#channel, this.#machine];
    const last = await channel.next();
    if (last.kind === 'abandon') {
      await machine.abandon();
      return false;
    }
    if (last.kind !== 'run' || !this.#isComplete) {
      throw new Failure(`found '${last.kind}' before all had come`);
    }
    const toldAtNs = clockNs();
    this.#resumeNs = (await machine.run()) - toldAtNs;
    channel.say({ kind: 'running' });
    return true;
  }

  #ended(line: string): ConnectionEnd {
    const isHere = this.#resumeNs !== undefined;
    return { line, arrival: arrivalEnd(this.#arrival, isHere, this.#resumeNs) };
  }
}
