import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { BytesPerSecond, Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import { Failure } from '../../platform/failure.ts';
import { MigrationStreamParser } from '../../qemu/migration-stream.ts';
import { ReturnPathReader, returnMessages } from '../../qemu/return-path.ts';
import type { MigrationStreamListener } from '../../qemu/stream-layout.ts';
import { SILENCE_MS } from '../../transport/limits.ts';
import type { Pacer } from '../../transport/pacer.ts';

/** What is read of the source's stream at once, at most, and waits here until it may leave. */
const PACED_CHUNK_BYTES = 16 * 1024;
const UNPACED_CHUNK_BYTES = 256 * 1024;
/** There is something to read, or there will be nothing more. */
const EVENTS = ['readable', 'end', 'close'];

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

  constructor(source: Socket, destination: Duplex, pacer: Pacer, listener: RelayListener) {
    this.#source = source;
    this.#destination = destination;
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

  /** Ends both connections at once. The source runs on if it has not handed the guest over. */
  cut(): void {
    this.#isCut = true;
    this.#destination.destroy();
    this.#source.destroy();
  }

  #wake: () => void = () => {};

  async #pump(): Promise<void> {
    const pacer = this.#pacer;
    for (;;) {
      const chunk = await this.#next();
      if (!chunk) break;
      this.#parser.push(chunk);
      pacer.begins();
      await pacer.wait(chunk.length);
      if (this.#destination.destroyed) throw new Failure('the destination has closed its connection');
      const isTaken = this.#destination.write(chunk);
      pacer.sent(chunk.length);
      this.#leftBytes += chunk.length;
      this.#lastLeftNs = clockNs();
      this.#listener.left(this.#leftBytes);
      if (!isTaken) await this.#drained();
    }
    this.#destination.end();
  }

  /** @returns undefined: the source has ended its stream */
  async #next(): Promise<Buffer | undefined> {
    const source = this.#source;
    const most = this.#pacer.isPaced ? PACED_CHUNK_BYTES : UNPACED_CHUNK_BYTES;
    for (;;) {
      const length = Math.min(most, source.readableLength);
      const chunk: Buffer | null = length > 0 ? source.read(length) : null;
      if (chunk) return chunk;
      if (source.readableEnded || source.destroyed) {
        if (!this.#parser.areDevices) throw new Failure('the source has ended its stream');
        return undefined;
      }
      if (this.#destination.destroyed) throw new Failure('the destination has closed its connection');
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

  async #drained(): Promise<void> {
    const gone = new AbortController();
    const closed = () => gone.abort();
    const silent = setTimeout(closed, SILENCE_MS);
    this.#destination.once('close', closed);
    try {
      if (!this.#destination.destroyed) await once(this.#destination, 'drain', { signal: gone.signal });
    } catch {
      if (this.#destination.destroyed) throw new Failure('the destination has closed its connection');
      throw new Failure(`the destination has accepted no data for ${SILENCE_MS / 1_000} s`);
    } finally {
      clearTimeout(silent);
      this.#destination.off('close', closed);
    }
  }

  #return(chunk: Buffer): void {
    try {
      for (const message of this.#returns.push(chunk)) {
        if (message.kind === returnMessages.shut) this.#heardShut(message.bytes);
        // Whether the stop is allowed is not for the destination to say.
        else if (message.kind !== returnMessages.switchoverAcknowledged) this.tellSource(message.bytes);
      }
    } catch {
      this.cut();
    }
  }
}
