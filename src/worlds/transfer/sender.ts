import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import type { LinkRecord } from '../../core/migration/course.ts';
import type { BytesPerSecond } from '../../core/units.ts';
import { type FrameHeader, type FrameType, HEADER_BYTES, WIRE_VERSION } from '../../core/wire/frames.ts';
import { Failure, reasonOf } from '../failure.ts';
import { PageChecksums } from './checksums.ts';
import { Connection } from './connection.ts';
import { FrameWriter } from './frame-writer.ts';
import { decodeAnswer, encodeHello, type Hello } from './hello.ts';
import { Pacer } from './pacer.ts';

/** Memory that is being migrated while its owner goes on writing it. */
export interface PageSource {
  readonly memory: Uint8Array;
  readonly pages: number;
  readonly pageSizeBytes: number;
  /** Takes off the page's dirty mark. Called before the page is copied, never after. */
  clear(page: number): void;
}

export interface PagesToSend {
  readonly pages: Uint32Array;
  readonly rate: BytesPerSecond | null;
  /** Whether each page's dirty bit is taken off before it is copied. */
  readonly clears: boolean;
  readonly endsRound: boolean;
}

export interface SentPages {
  readonly sentPages: number;
  readonly zeroPages: number;
  readonly bytes: number;
}

const BATCH_BYTES = 256 * 1024;
const BATCHES = 8;
const CONNECT_MS = 5_000;
/** A destination that says nothing for so long, although it is its turn, is given up. */
const SILENCE_MS = 30_000;

interface Reply {
  readonly type: FrameType;
  readonly argument: number;
  readonly payload: Buffer;
}

/** The source's end of a migration: sends pages as the pacer allows, and speaks the hand-over. */
export class Sender {
  readonly #source: PageSource;
  readonly #pacer: Pacer;
  readonly #checksums: PageChecksums;
  readonly #pageOf: Buffer;
  readonly #zeroPage: Buffer;
  /** Filled in turn, so that the kernel has something to take while the next one is filled. */
  readonly #writers: readonly FrameWriter[];
  readonly #replies: Reply[] = [];
  #rounds = 0;
  #connection: Connection | undefined;
  #failure: Error | undefined;
  #wake: () => void = () => {};

  constructor(source: PageSource, depthBytes: number) {
    const { memory, pages, pageSizeBytes } = source;
    this.#source = source;
    this.#pacer = new Pacer(depthBytes);
    this.#checksums = new PageChecksums(pages);
    this.#pageOf = Buffer.from(memory.buffer, memory.byteOffset, memory.length);
    this.#zeroPage = Buffer.alloc(pageSizeBytes);
    const batchBytes = Math.max(BATCH_BYTES, HEADER_BYTES + pageSizeBytes);
    this.#writers = Array.from({ length: BATCHES }, () => new FrameWriter(batchBytes));
  }

  get link(): LinkRecord {
    return this.#pacer.link;
  }

  /** Connects and greets. @throws Failure nobody there, or refused. */
  async greet(host: string, port: number, hello: Omit<Hello, 'version'>): Promise<void> {
    const socket = await connected(host, port);
    this.#connection = new Connection(
      socket,
      'source',
      (header, payload) => this.#take(header, payload),
      (why) => {
        this.#fail(new Failure(why ? `the connection broke: ${reasonOf(why)}` : 'the destination hung up'));
      },
    );
    this.#connection.pageSizeBytes = this.#source.pageSizeBytes;
    this.#connection.send('hello', 0, encodeHello({ version: WIRE_VERSION, ...hello }));
    const { payload } = await this.#reply('hello');
    decodeAnswer(payload);
  }

  /**
   * Sends these pages in this order at this rate. Resolves when the kernel has them, and at the end of a round when
   * the destination has everything.
   */
  async sendPages({ pages, rate, clears, endsRound }: PagesToSend): Promise<SentPages> {
    const frameBytes = HEADER_BYTES + this.#source.pageSizeBytes;
    this.#pacer.setRate(rate);
    let zeroPages = 0;
    let bytes = 0;
    const taken: Promise<void>[] = [];
    for (let next = 0; next < pages.length; ) {
      await this.#pacer.wait(frameBytes);
      await taken[taken.length - BATCHES];
      const writer = this.#writers[taken.length % BATCHES]!;
      writer.reset();
      while (next < pages.length && this.#admits(writer, frameBytes)) {
        if (clears) this.#source.clear(pages[next]!);
        if (this.#write(writer, pages[next]!)) zeroPages += 1;
        next += 1;
      }
      // Under a reservation nothing may pile up here: it would leave in a burst once the kernel takes it again.
      if (rate !== null) await taken.at(-1);
      // Without one nothing else lets the event loop turn, and an abort would go unheard.
      else await turn();
      this.#check();
      this.#pacer.departs(writer.lengthBytes);
      bytes += writer.lengthBytes;
      taken.push(this.#connection!.sendPages(writer.frames()));
    }
    await Promise.all(taken);
    this.#check();
    if (endsRound) {
      this.#rounds += 1;
      await this.#control('round', this.#rounds);
      await this.#reply('round');
    }
    return { sentPages: pages.length, zeroPages, bytes };
  }

  /** Compares all pages as last sent with all pages as received. */
  async stop(guestTimeNs: number): Promise<void> {
    const clock = Buffer.alloc(8);
    clock.writeDoubleLE(guestTimeNs);
    await this.#control('stop', 0, Buffer.concat([clock, this.#checksums.digest()]));
    await this.#reply('ready');
  }

  /** The destination's SHA-256 over all its memory. */
  async verify(): Promise<string> {
    await this.#control('verify');
    return (await this.#reply('verify')).payload.toString('utf8');
  }

  /** Gives the guest away. Resolves when it runs, with the time that took it at the destination. */
  async commit(): Promise<number> {
    await this.#control('commit');
    return (await this.#reply('running')).payload.readDoubleLE(0);
  }

  /** Ends the migrated guest: how far did it come? */
  async retire(): Promise<{ steps: number; heartbeats: number; sha256: string }> {
    await this.#control('retire');
    return JSON.parse((await this.#reply('retire')).payload.toString('utf8'));
  }

  /** Tells the destination why, if it is still there, and hangs up. */
  abort(why: string): void {
    this.#connection?.close(why);
  }

  #admits(writer: FrameWriter, frameBytes: number): boolean {
    return writer.hasRoomFor(frameBytes) && this.#pacer.allows(writer.lengthBytes, frameBytes);
  }

  /** Copies the page, after its dirty bit was cleared: see `DirtyLog`. True: it held only zeros. */
  #write(writer: FrameWriter, page: number): boolean {
    const size = this.#source.pageSizeBytes;
    const start = page * size;
    const { buffer, payloadAt } = writer;
    this.#pageOf.copy(buffer, payloadAt, start, start + size);
    const maybeZero = buffer[payloadAt] === 0 && buffer[payloadAt + size - 1] === 0;
    const zero = maybeZero && buffer.compare(this.#zeroPage, 0, size, payloadAt, payloadAt + size) === 0;
    this.#checksums.set(page, zero ? writer.frame('zero', page, 0) : writer.frame('page', page, size));
    return zero;
  }

  async #control(type: FrameType, argument = 0, payload: Uint8Array = new Uint8Array(0)): Promise<void> {
    this.#check();
    await this.#pacer.wait(HEADER_BYTES + payload.length);
    this.#check();
    this.#pacer.departs(HEADER_BYTES + payload.length);
    this.#connection!.send(type, argument, payload);
  }

  #take(header: FrameHeader, payload: Buffer): void {
    if (header.type === 'abort') {
      this.#fail(new Failure(`the destination refused: ${payload.toString('utf8')}`));
      this.#connection!.finish();
    } else {
      this.#replies.push({ type: header.type, argument: header.argument, payload: Buffer.from(payload) });
      this.#wake();
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
  }

  /** The next frame from the destination; the state table has already made sure that it is of this type. */
  async #reply(type: FrameType): Promise<Reply> {
    await turn();
    if (this.#replies.length === 0 && !this.#failure) {
      await new Promise<void>((resolve) => {
        const silence = setTimeout(() => {
          this.#fail(
            new Failure(`the destination was silent for ${SILENCE_MS / 1000} s; expected '${type}'`),
          );
        }, SILENCE_MS);
        this.#wake = () => {
          clearTimeout(silence);
          resolve();
        };
      });
      this.#wake = () => {};
    }
    const reply = this.#replies.shift();
    if (reply) return reply;
    throw this.#failure!;
  }
}

/** @throws Failure nobody listens there, or nobody answers. */
function connected(host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const timer = setTimeout(
      () => socket.destroy(new Error(`no answer in ${CONNECT_MS / 1000} s`)),
      CONNECT_MS,
    );
    const refused = (error: Error) => {
      clearTimeout(timer);
      reject(new Failure(`no destination at ${host}:${port}: ${reasonOf(error)}`));
    };
    socket.once('error', refused);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', refused);
      resolve(socket);
    });
  });
}
