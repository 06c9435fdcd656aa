import { randomBytes } from 'node:crypto';
import type { Duplex } from 'node:stream';
import type { Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import { Failure } from '../../platform/failure.ts';
import { type DestinationThere, formatAddress } from '../../transport/address.ts';
import { connected } from '../../transport/connect.ts';
import { encryptionKind } from '../../transport/credentials.ts';
import { SILENCE_MS } from '../../transport/limits.ts';
import { MachineChannel, type Word } from './machine-channel.ts';
import type { Place } from './machine-journal.ts';
import { NetworkWire } from './network-wire.ts';
import type { QemuDestination } from './qemu-destination.ts';
import type { Settled, Verdict } from './settle-destination.ts';

/** A QEMU on another host, behind `switchover receive --qmp`. Its instants are those at which its word was heard here. */
export class RemoteDestination implements QemuDestination {
  readonly #address: string;
  readonly #move = randomBytes(16).toString('hex');
  readonly #channel: MachineChannel;
  readonly wire: NetworkWire;
  readonly completed: Promise<Nanos>;
  #heardCompleted: (atNs: Nanos) => void = () => {};
  #failed: (why: Error) => void = () => {};

  private constructor(address: string, channel: MachineChannel, wire: NetworkWire) {
    this.#address = address;
    this.#channel = channel;
    this.wire = wire;
    this.completed = new Promise((resolve, reject) => {
      this.#heardCompleted = resolve;
      this.#failed = reject;
    });
    this.completed.catch(() => {});
  }

  /** @throws Failure nobody listens there, or the two ends do not agree on how it is encrypted */
  static async open(to: DestinationThere): Promise<RemoteDestination> {
    const socket = await connected(to);
    return new RemoteDestination(
      formatAddress(to),
      new MachineChannel(socket),
      new NetworkWire(socket, encryptionKind(to)),
    );
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
    return { receiver: this.#address, move: this.#move };
  }

  async connect(): Promise<Duplex> {
    this.#channel.say({ kind: 'prepare', move: this.#move });
    await this.#hear('waiting', SILENCE_MS);
    void this.#hear('completed').then(
      () => this.#heardCompleted(clockNs()),
      (why) => this.#failed(why),
    );
    return this.#channel.stream;
  }

  async run(): Promise<Nanos> {
    this.#channel.say({ kind: 'run' });
    await this.#hear('running', SILENCE_MS);
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

  /** @throws Failure the destination says something else, or nothing */
  async #hear(kind: Word['kind'], withinMs?: number): Promise<void> {
    const word = await this.#channel.next(withinMs);
    if (word.kind === 'refused') throw new Failure(`the destination refused: ${word.why}`);
    if (word.kind !== kind) throw new Failure(`the destination said '${word.kind}' instead of '${kind}'`);
  }
}
