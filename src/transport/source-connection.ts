import type { Socket } from 'node:net';
import type { Encryption } from '../core/link/encryption.ts';
import type { Bytes, Nanos } from '../core/units.ts';
import { type FrameHeader, WIRE_VERSION, WireError } from '../core/wire/frames.ts';
import { clockNs } from '../platform/clock.ts';
import { Failure, printable, reasonOf } from '../platform/failure.ts';
import { Connection } from './connection.ts';
import { encryptionOf } from './connection-encryption.ts';
import { type Credentials, keyToProve } from './credentials.ts';
import { checkChallenge, isProofOf, proofOf, sourceChallenge } from './proof.ts';
import { Replies, type Reply } from './replies.ts';
import { wireBytes } from './wire-bytes.ts';

/** What a source says first: of its guest, or it asks what became of that. */
export interface FirstFrame {
  readonly type: 'hello' | 'ask';
  readonly argument: number;
  readonly payload: Uint8Array;
}

export interface SourceConnectionOptions {
  readonly credentials: Credentials;
  readonly silenceMs: number;
  /** Of a page, or a piece of one. */
  readonly pageBytesPerFrame: number;
  /** How to wait for what may take long. */
  readonly asleep: <T>(waiting: Promise<T>) => Promise<T>;
  /** Called once, when the connection is gone. */
  readonly closed: () => void;
}

/** The source's end of one connection: what it says, and what the destination answers. */
export class SourceConnection {
  readonly connection: Connection;
  readonly replies = new Replies();
  readonly encryption: Encryption;
  #roundTripNs: Nanos | null = null;
  readonly #options: SourceConnectionOptions;
  /** To be proved by frames; null: none, or the handshake has proved it. */
  readonly #key: Uint8Array | null;

  constructor(socket: Socket, options: SourceConnectionOptions) {
    this.#options = options;
    this.encryption = encryptionOf(socket, options.credentials);
    this.#key = keyToProve(options.credentials);
    this.connection = new Connection(
      socket,
      'source',
      this.#key !== null,
      (header, payload) => this.#take(header, payload),
      (why) => {
        options.closed();
        this.replies.fail(why ? broken(why) : new Failure('the destination closed the connection'));
      },
      (why) => this.replies.fail(broken(why)),
    );
    this.connection.longestSilenceMs = options.silenceMs;
    this.connection.pageBytesPerFrame = options.pageBytesPerFrame;
  }

  /** What so many bytes become on the connection if they are written at once. */
  wireBytes(bytes: Bytes): Bytes {
    return wireBytes(bytes, this.encryption.kind);
  }

  /** From a word of this end to the answer, at its shortest; null: not measured. */
  get roundTripNs(): Nanos | null {
    return this.#roundTripNs;
  }

  /** A word went there, and its answer came back. @returns by how much later than the fastest one */
  went(roundTripNs: Nanos): Nanos {
    const leastNs = Math.max(0, Math.min(roundTripNs, this.#roundTripNs ?? Number.POSITIVE_INFINITY));
    this.#roundTripNs = leastNs;
    return Math.max(0, roundTripNs - leastNs);
  }

  /** Says the first word, after both ends have proved themselves. @returns the answer to it. @throws Failure refused. */
  async open({ type, argument, payload }: FirstFrame): Promise<Reply & { readonly waitedNs: Nanos }> {
    try {
      if (this.#key) await this.#prove(this.#key, payload);
      this.connection.send(type, argument, payload);
      const askedAtNs = clockNs();
      const reply = await this.reply();
      return { ...reply, waitedNs: reply.atNs - askedAtNs };
    } catch (cause) {
      this.connection.close(reasonOf(cause));
      throw cause;
    }
  }

  /** Sleeps until the destination has answered. @throws Failure it will not. */
  reply(): Promise<Reply> {
    return this.replies.next((spoken) => this.#options.asleep(spoken));
  }

  /** Both ends prove that they have the key, this one first. @throws WireError the destination does not. */
  async #prove(key: Uint8Array, greeting: Uint8Array): Promise<void> {
    const source = sourceChallenge(greeting);
    this.connection.send('challenge', WIRE_VERSION, source);
    const { argument, payload: destination } = await this.reply();
    checkChallenge('destination', argument, destination);
    const challenges = { source, destination };
    this.connection.send('proof', 0, proofOf('source', key, challenges));
    const { payload } = await this.reply();
    if (!isProofOf('destination', key, challenges, payload)) {
      throw new WireError("wrong key: the destination could not prove that it has the source's key");
    }
  }

  #take({ type, argument }: FrameHeader, payload: Buffer): void {
    if (type === 'abort') {
      this.replies.fail(new Failure(`the destination refused: ${printable(payload.toString('utf8'))}`));
      this.connection.finish();
    } else if (type !== 'alive') {
      this.replies.add({ type, argument, payload: Buffer.from(payload), atNs: clockNs() });
    }
  }
}

function broken(why: Error): Failure {
  return new Failure(`the connection broke: ${reasonOf(why)}`);
}
