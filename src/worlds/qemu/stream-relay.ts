import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Bytes, type BytesPerSecond, NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import { Failure } from '../../platform/failure.ts';
import { MigrationStreamParser } from '../../qemu/migration-stream.ts';
import { ReturnPathReader, returnMessages } from '../../qemu/return-path.ts';
import type { MigrationStreamListener } from '../../qemu/stream-layout.ts';
import { SILENCE_MS } from '../../transport/limits.ts';
import type { Pacer } from '../../transport/pacer.ts';
import type { NetworkWire } from './network-wire.ts';

/** What is read of the source's stream at once, at most, and waits here until it may leave. With a head it is one record of TLS. */
const PACED_CHUNK_BYTES = 16 * 1024 - 64;
const UNPACED_CHUNK_BYTES = 256 * 1024;
/** There is something to read, or there will be nothing more. */
const EVENTS = ['readable', 'end', 'close'];
const CLOSED = 'the destination has closed its connection';
const SILENT = `the destination has accepted no data for ${SILENCE_MS / 1_000} s`;
const REVOKED = 'the reservation of the link was revoked';

/** How soon the kernel is asked again whether all has left. */
const UNSENT_AGAIN_MS = 1;

/** Both connections of a relay. */
export interface RelayedStreams {
  readonly source: Socket;
  readonly destination: Duplex;
  /** What becomes of the stream on the network, if it leaves this host. */
  readonly wire: NetworkWire | undefined;
}

/** What a relay tells of both streams besides what the parser reads in them. */
export interface RelayListener extends MigrationStreamListener {
  /** Bytes of the stream have been given to the kernel: so many in all. */
  left(bytes: number): void;
}

/**
 * Passes QEMU's stream from its source to its destination as it is, as fast as the pacer lets it, and what the destination says
 * back to the source, all but its last word: with that the source gives the guest away, so that it is for the world to pass it on. What is not understood is not passed on. What waits to leave stays with the source: its socket is read only when
 * the next bytes may leave, so no more than a chunk is here and about 0.2 MB in the socket.
 */
export class StreamRelay {
  readonly #source: Socket;
  readonly #destination: Duplex;
  readonly #wire: NetworkWire | undefined;
  readonly #pacer: Pacer;
  readonly #listener: RelayListener;
  readonly #parser: MigrationStreamParser;
  readonly #returns = new ReturnPathReader();
  #leftBytes = 0;
  #lastLeftNs: Nanos = 0;
  /** How the relay has ended, once it has; undefined: the source has said everything. */
  readonly ended: Promise<Error | undefined>;
  #isCut = false;
  /** The last word of the destination: whether all has arrived there. */
  readonly shut: Promise<Buffer>;
  #heardShut: (message: Buffer) => void = () => {};
  /** The destination has said its last word: it may close its connection. */
  #isShut = false;

  constructor({ source, destination, wire }: RelayedStreams, pacer: Pacer, listener: RelayListener) {
    this.#source = source;
    this.#destination = destination;
    this.#wire = wire;
    this.#pacer = pacer;
    this.#listener = listener;
    this.#parser = new MigrationStreamParser(listener);
    this.shut = new Promise((resolve) => {
      this.#heardShut = resolve;
    });
    destination.on('data', (chunk: Buffer) => this.#return(chunk));
    destination.on('error', () => {});
    destination.on('close', () => this.#wake());
    source.on('error', () => {});
    this.ended = this.#pump().then(
      () => undefined,
      (cause: Error) => cause,
    );
  }

  /** Of the source's stream, how much has left towards the destination. */
  get leftBytes(): number {
    return this.#leftBytes;
  }

  /** When the last bytes left. */
  get lastLeftNs(): Nanos {
    return this.#lastLeftNs;
  }

  setRate(rate: BytesPerSecond | null): void {
    this.#pacer.setRate(rate);
  }

  /** Says something to the source, between two messages of the destination. */
  tellSource(message: Buffer): void {
    if (!this.#isCut) this.#source.write(message);
  }

  /** The same, unless the relay ends before. @throws Failure why it has */
  alive<T>(promise: Promise<T>): Promise<T> {
    const ended = this.ended.then((why) => {
      if (why) throw why;
      return new Promise<never>(() => {});
    });
    return Promise.race([promise, ended]);
  }

  /** Ends both connections at once. The source runs on if it has not handed the guest over. */
  cut(): void {
    this.#isCut = true;
    this.release();
    this.#destination.destroy();
    this.#source.destroy();
  }

  /** Nothing more is read of the source's stream: a source whose socket is full sends nothing, and still hears what it is told. */
  hold(): void {
    this.#held = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  release(): void {
    this.#release();
    this.#held = undefined;
  }

  #held: Promise<void> | undefined;
  #release: () => void = () => {};
  #wake: () => void = () => {};

  async #pump(): Promise<void> {
    let taken = Promise.resolve();
    for (;;) {
      const chunk = await this.#next();
      if (!chunk) break;
      this.#parser.push(chunk);
      if (this.#isShut) continue;
      const bytes = this.#wire?.bytesOf(chunk.length) ?? chunk.length;
      await this.#untilAllowed(bytes);
      const before = taken;
      taken = this.#give(chunk);
      this.#pacer.sent(bytes);
      this.#leftBytes += chunk.length;
      this.#lastLeftNs = clockNs();
      this.#listener.left(this.#leftBytes);
      // Under a reservation nothing may pile up here: it would leave in a burst once the kernel takes it again.
      await (this.#pacer.isPaced ? taken : before);
    }
    await taken;
    while (this.#askUnsent() > 0 && !this.#destination.destroyed) await sleep(UNSENT_AGAIN_MS);
    this.#destination.end();
  }

  /** Waits until so many bytes may leave, beside those that the kernel has been given and has not sent. */
  async #untilAllowed(bytes: Bytes): Promise<void> {
    const pacer = this.#pacer;
    let [leastUnsent, sinceNs] = [Number.POSITIVE_INFINITY, clockNs()];
    pacer.begins();
    do {
      await pacer.wait(bytes);
      if (this.#destination.destroyed) throw new Failure(CLOSED);
      if (pacer.isRevoked) throw new Failure(REVOKED);
      if (!pacer.isPaced) return;
      const unsent = this.#askUnsent();
      if (unsent < leastUnsent) [leastUnsent, sinceNs] = [unsent, clockNs()];
      else if (unsent > 0 && clockNs() - sinceNs > SILENCE_MS * NANOS_PER_MILLISECOND)
        throw new Failure(SILENT);
    } while (!pacer.allows(0, bytes));
  }

  /** @returns how much of what was given to the kernel has not left, if known */
  #askUnsent(): Bytes {
    const unsent = this.#wire?.unsentBytes;
    if (unsent !== undefined) this.#pacer.unsent(unsent);
    return unsent ?? 0;
  }

  /** @returns undefined: the source has ended its stream */
  async #next(): Promise<Buffer | undefined> {
    const source = this.#source;
    const most = this.#pacer.isPaced ? PACED_CHUNK_BYTES : UNPACED_CHUNK_BYTES;
    for (;;) {
      await this.#held;
      const length = Math.min(most, source.readableLength);
      const chunk: Buffer | null = length > 0 ? source.read(length) : null;
      if (chunk) return chunk;
      if (source.readableEnded || source.destroyed) {
        if (!this.#parser.areDevices) throw new Failure('the source has ended its stream');
        return undefined;
      }
      if (this.#destination.destroyed && !this.#isShut) throw new Failure(CLOSED);
      await new Promise<void>((resolve) => {
        this.#wake = () => {
          for (const event of EVENTS) source.off(event, this.#wake);
          resolve();
        };
        for (const event of EVENTS) source.on(event, this.#wake);
        source.read(0);
      });
    }
  }

  /** Resolves when the kernel has the chunk. @throws Failure it takes nothing for too long, or never will */
  #give(chunk: Buffer): Promise<void> {
    const given = new Promise<void>((resolve, reject) => {
      const silent = setTimeout(() => reject(new Failure(SILENT)), SILENCE_MS);
      this.#destination.write(chunk, (cause) => {
        clearTimeout(silent);
        if (cause) reject(new Failure(CLOSED));
        else resolve();
      });
    });
    given.catch(() => {});
    return given;
  }

  #return(chunk: Buffer): void {
    try {
      for (const message of this.#returns.push(chunk)) {
        if (message.kind === returnMessages.shut) {
          this.#isShut = true;
          this.#heardShut(message.bytes);
        }
        // Whether the stop is allowed is not for the destination to say.
        else if (message.kind !== returnMessages.switchoverAcknowledged) this.tellSource(message.bytes);
      }
    } catch {
      this.cut();
    }
  }
}
