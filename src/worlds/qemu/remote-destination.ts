import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import { Failure } from '../../platform/failure.ts';
import { type DestinationThere, formatAddress } from '../../transport/address.ts';
import { connected } from '../../transport/connect.ts';
import { encryptionOf } from '../../transport/connection-encryption.ts';
import { SILENCE_MS } from '../../transport/limits.ts';
import { type DepartingGuest, MachineChannel, type Word } from './machine-channel.ts';
import type { Place } from './machine-journal.ts';
import { NetworkWire } from './network-wire.ts';
import type { QemuDestination } from './qemu-destination.ts';
import type { Settled, Verdict } from './settle-destination.ts';

/** A QEMU on another host, behind `switchover receive --qmp` or a daemon. Its instants are those at which its word was heard here. */
export class RemoteDestination implements QemuDestination {
  readonly #to: DestinationThere;
  readonly #channel: MachineChannel;
  readonly #departing: DepartingGuest;
  readonly wire: NetworkWire;
  readonly completed: Promise<Nanos>;
  #heardCompleted: (atNs: Nanos) => void = () => {};
  #failed: (why: Error) => void = () => {};

  private constructor(to: DestinationThere, socket: Socket, departing: DepartingGuest) {
    this.#to = to;
    this.#channel = new MachineChannel(socket);
    this.#departing = departing;
    this.wire = new NetworkWire(socket, encryptionOf(socket, to));
    this.completed = new Promise((resolve, reject) => {
      this.#heardCompleted = resolve;
      this.#failed = reject;
    });
    this.completed.catch(() => {});
  }

  /** @throws Failure nobody listens there, or the two ends do not agree on how it is encrypted */
  static async open(to: DestinationThere, departing: DepartingGuest): Promise<RemoteDestination> {
    return new RemoteDestination(to, await connected(to), departing);
  }

  /**
   * Has the receiver there do what is right for a machine that has come to it whole, when its source was killed.
   * @param move by which it was written down @throws Failure the receiver cannot be asked
   */
  static async settle(to: DestinationThere, move: string, verdict: Verdict): Promise<Settled> {
    const channel = new MachineChannel(await connected(to));
    try {
      channel.say({ kind: 'settle', move, verdict });
      const answer = await channel.next(SILENCE_MS);
      if (answer.kind === 'refused') throw new Failure(answer.why);
      if (answer.kind !== 'settled') throw new Failure(`it said '${answer.kind}'`);
      return { did: answer.did, reason: answer.reason };
    } finally {
      channel.close();
    }
  }

  async place(): Promise<Place> {
    return { receiver: formatAddress(this.#to), move: this.#departing.move };
  }

  async connect(): Promise<Duplex> {
    this.#channel.say({ kind: 'prepare', ...this.#departing });
    await hear(this.#channel, 'waiting', SILENCE_MS);
    void hear(this.#channel, 'completed').then(
      () => this.#heardCompleted(clockNs()),
      (why) => this.#failed(why),
    );
    return this.#channel.stream;
  }

  async run(): Promise<Nanos> {
    this.#channel.say({ kind: 'run' });
    await hear(this.#channel, 'running', SILENCE_MS);
    return clockNs();
  }

  async abandon(): Promise<void> {
    this.#channel.say({ kind: 'abandon' });
    this.#channel.close();
  }

  close(): void {
    this.#channel.close();
    this.wire.close();
  }
}

/** @throws Failure the destination says something else, or nothing */
async function hear(channel: MachineChannel, kind: Word['kind'], withinMs?: number): Promise<void> {
  const word = await channel.next(withinMs);
  if (word.kind === 'refused') throw new Failure(`the destination refused: ${word.why}`);
  if (word.kind !== kind) throw new Failure(`the destination said '${word.kind}' instead of '${kind}'`);
}
