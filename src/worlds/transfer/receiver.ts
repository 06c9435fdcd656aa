import type { Socket } from 'node:net';
import { type FrameHeader, WIRE_VERSION, WireError } from '../../core/wire/frames.ts';
import { clockNs } from '../clock.ts';
import { reasonOf } from '../failure.ts';
import { PageChecksums } from './checksums.ts';
import { Connection } from './connection.ts';
import { decodeHello, encodeHello, type Hello } from './hello.ts';

/** A guest that stands at the destination, waiting for its memory. */
export interface HostedGuest {
  readonly memory: Uint8Array;
  /** SHA-256 of all memory, in hexadecimal. */
  hash(): Promise<string>;
  run(guestTimeNs: number): Promise<void>;
  /** Stops the guest for good and says how far it came. */
  retire(): Promise<{ readonly steps: number; readonly heartbeats: number; readonly sha256: string }>;
  /** Frees everything. */
  discard(): Promise<void>;
}

/** Makes room for a guest. @throws Failure it is refused, and why. */
export type Prepare = (hello: Hello) => Promise<HostedGuest>;

/**
 * Takes in one migration over one connection. The guest runs only after `commit`; before it, whatever goes wrong
 * ends with the guest discarded here, because it is still the source's.
 * @returns a line that says how it ended, when the connection is gone
 */
export function receive(socket: Socket, prepare: Prepare): Promise<string> {
  return new Promise((resolve) => new Reception(socket, prepare, resolve));
}

/** The guest's clock and a SHA-256. */
const STOP_BYTES = 8 + 32;

class Reception {
  readonly #connection: Connection;
  readonly #prepare: Prepare;
  #name = 'a connection';
  #guest: HostedGuest | undefined;
  #pages = 0;
  #pageSizeBytes = 0;
  #memory: Buffer = Buffer.alloc(0);
  #checksums = new PageChecksums(0);
  #guestTimeNs = 0;
  #committed = false;
  #retired = false;
  #gaveUp: string | undefined;
  /** Control frames are answered one after the other. */
  #answering: Promise<void> = Promise.resolve();

  constructor(socket: Socket, prepare: Prepare, ended: (how: string) => void) {
    this.#prepare = prepare;
    this.#connection = new Connection(
      socket,
      'destination',
      (header, payload) => this.#take(header, payload),
      (why) => void this.#answering.then(() => this.#end(why)).then(ended),
    );
  }

  #take(header: FrameHeader, payload: Buffer): void {
    if (header.type === 'page' || header.type === 'zero') {
      this.#store(header, payload);
    } else if (header.type === 'abort') {
      this.#gaveUp = payload.toString('utf8');
      this.#connection.finish();
    } else {
      const copy = Buffer.from(payload);
      this.#answering = this.#answering
        .then(() => this.#answer(header, copy))
        .catch((cause) => {
          this.#gaveUp ??= reasonOf(cause);
          this.#connection.close(reasonOf(cause));
        });
    }
  }

  #store({ type, argument: page, crc }: FrameHeader, payload: Buffer): void {
    if (page >= this.#pages) throw new WireError(`page ${page} of a guest of ${this.#pages} pages`);
    const start = page * this.#pageSizeBytes;
    if (type === 'page') payload.copy(this.#memory, start);
    else this.#memory.fill(0, start, start + this.#pageSizeBytes);
    this.#checksums.set(page, crc);
  }

  async #answer({ type, argument }: FrameHeader, payload: Buffer): Promise<void> {
    const connection = this.#connection;
    switch (type) {
      case 'hello':
        await this.#greet(decodeHello(payload));
        if (connection.state !== 'closed')
          connection.send('hello', 0, encodeHello({ version: WIRE_VERSION }));
        return;
      case 'round':
        return connection.send('round', argument);
      case 'stop':
        return this.#compare(payload);
      case 'verify':
        return connection.send('verify', 0, Buffer.from(await this.#guest!.hash()));
      case 'commit': {
        const receivedAtNs = clockNs();
        this.#committed = true;
        await this.#guest!.run(this.#guestTimeNs);
        const resumeNs = Buffer.alloc(8);
        resumeNs.writeDoubleLE(clockNs() - receivedAtNs);
        return connection.send('running', 0, resumeNs);
      }
      case 'retire': {
        const end = await this.#guest!.retire();
        this.#retired = true;
        connection.send('retire', 0, Buffer.from(JSON.stringify(end)));
        return connection.finish();
      }
    }
  }

  async #greet(hello: Hello): Promise<void> {
    const { pages, pageSizeBytes, name } = hello.guest;
    this.#guest = await this.#prepare(hello);
    this.#name = `guest '${name}'`;
    this.#pages = pages;
    this.#pageSizeBytes = pageSizeBytes;
    this.#connection.pageSizeBytes = pageSizeBytes;
    const { buffer, byteOffset, length } = this.#guest.memory;
    this.#memory = Buffer.from(buffer, byteOffset, length);
    this.#checksums = new PageChecksums(pages);
  }

  /** The stop frame carries the guest's clock (f64) and the digest over all checksums as last sent. */
  #compare(payload: Buffer): void {
    if (payload.length !== STOP_BYTES) {
      throw new WireError(`a 'stop' frame of ${payload.length} bytes; expected ${STOP_BYTES}`);
    }
    this.#guestTimeNs = payload.readDoubleLE(0);
    if (!payload.subarray(8).equals(this.#checksums.digest())) {
      throw new WireError('the pages received are not the pages sent: their checksums differ');
    }
    this.#connection.send('ready');
  }

  async #end(why: Error | undefined): Promise<string> {
    if (this.#retired) {
      await this.#guest?.discard();
      return `${this.#name} arrived, ran and was retired`;
    }
    const reason = this.#gaveUp ?? (why ? reasonOf(why) : 'the connection ended');
    if (this.#committed) return `${this.#name} runs here; its source has gone (${reason})`;
    await this.#guest?.discard();
    return `${this.#name} did not arrive: ${reason}`;
  }
}
