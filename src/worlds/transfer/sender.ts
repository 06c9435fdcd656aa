import { setImmediate as turn } from 'node:timers/promises';
import type { LinkRecord } from '../../core/migration/course.ts';
import type { BytesPerSecond, Nanos } from '../../core/units.ts';
import {
  type FrameHeader,
  type FrameType,
  HEADER_BYTES,
  WIRE_VERSION,
  WireError,
} from '../../core/wire/frames.ts';
import { clockNs } from '../clock.ts';
import { threadCpuNs } from '../cpu/thread-clock.ts';
import type { Turn } from '../cpu/turn.ts';
import { Failure, printable, reasonOf } from '../failure.ts';
import type { Allowance } from './allowance.ts';
import { PageChecksums } from './checksums.ts';
import { connected } from './connect.ts';
import { Connection } from './connection.ts';
import { FrameWriter } from './frame-writer.ts';
import { decodeAnswer, encodeHello, type Hello } from './hello.ts';
import { ALIVE_MS } from './limits.ts';
import { Pacer } from './pacer.ts';
import { decodeNanos, decodeRetired, encodeStop, type Retired } from './payloads.ts';
import { checkChallenge, isProofOf, proofOf, sourceChallenge } from './proof.ts';
import { Replies, type Reply } from './replies.ts';

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

/** The CPU time of a sender. */
export interface SenderCpu {
  readonly turn: Turn;
  /** A page takes at least so much of it, sending included: whatever a real sender does to a page is made up for. */
  readonly cpuPerPageNs: Nanos;
  /** From the stop frame to the commit, likewise. */
  readonly cpuPerHandoverNs: Nanos;
}

export interface SentPages {
  readonly sentPages: number;
  readonly zeroPages: number;
  readonly bytes: number;
}

const BATCH_BYTES = 256 * 1024;
const BATCHES = 8;
/** Whoever goes to sleep gives up the processor, and may wait long for its next turn. */
const AWAKE_NS = 300_000;

/** The source's end of a migration: sends pages as the pacer allows, and speaks the hand-over. */
export class Sender {
  readonly #source: PageSource;
  readonly #cpu: SenderCpu;
  readonly #pacer: Pacer;
  readonly #checksums: PageChecksums;
  readonly #pageOf: Buffer;
  readonly #zeroPage: Buffer;
  /** Filled in turn, so that the kernel has something to take while the next one is filled. */
  readonly #writers: readonly FrameWriter[];
  readonly #replies = new Replies();
  #rounds = 0;
  #cpuAtStopNs: Nanos = 0;
  #connection: Connection | undefined;

  constructor(source: PageSource, depthBytes: number, cpu: SenderCpu, allowance?: Allowance) {
    const { memory, pages, pageSizeBytes } = source;
    this.#source = source;
    this.#cpu = cpu;
    this.#pacer = new Pacer(depthBytes, cpu.turn, allowance);
    this.#checksums = new PageChecksums(pages);
    this.#pageOf = Buffer.from(memory.buffer, memory.byteOffset, memory.length);
    this.#zeroPage = Buffer.alloc(pageSizeBytes);
    const batchBytes = Math.max(BATCH_BYTES, HEADER_BYTES + pageSizeBytes);
    this.#writers = Array.from({ length: BATCHES }, () => new FrameWriter(batchBytes));
  }

  get link(): LinkRecord {
    return this.#pacer.link;
  }

  /**
   * Connects and greets.
   * @param key what the destination must have too; null: neither end asks
   * @throws Failure nobody there, or refused
   */
  async greet(
    host: string,
    port: number,
    hello: Omit<Hello, 'version'>,
    key: Uint8Array | null,
  ): Promise<void> {
    const socket = await connected(host, port);
    const alive = setInterval(() => this.#stayAlive(), ALIVE_MS);
    this.#connection = new Connection(
      socket,
      'source',
      key !== null,
      (header, payload) => this.#take(header, payload),
      (why) => {
        clearInterval(alive);
        this.#replies.fail(
          new Failure(why ? `the connection broke: ${reasonOf(why)}` : 'the destination hung up'),
        );
      },
    );
    this.#connection.pageSizeBytes = this.#source.pageSizeBytes;
    const greeting = encodeHello({ version: WIRE_VERSION, ...hello });
    try {
      if (key) await this.#prove(key, greeting);
      this.#connection.send('hello', 0, greeting);
      const { payload } = await this.#reply('hello');
      decodeAnswer(payload);
    } catch (cause) {
      this.#connection.close(reasonOf(cause));
      throw cause;
    }
  }

  /**
   * Sends these pages in this order at this rate. Resolves when the kernel has them, and at the end of a round when
   * the destination has everything.
   */
  async sendPages({ pages, rate, clears, endsRound }: PagesToSend): Promise<SentPages> {
    const frameBytes = HEADER_BYTES + this.#source.pageSizeBytes;
    const { turn: myTurn, cpuPerPageNs } = this.#cpu;
    const cpuBeganNs = cpuPerPageNs > 0 ? threadCpuNs() : 0;
    this.#pacer.setRate(rate);
    this.#pacer.begins();
    let zeroPages = 0;
    let bytes = 0;
    const taken: Promise<void>[] = [];
    for (let next = 0; next < pages.length; ) {
      await this.#pacer.wait(frameBytes);
      await this.#taken(taken[taken.length - BATCHES]);
      const writer = this.#writers[taken.length % BATCHES]!;
      writer.reset();
      while (next < pages.length && this.#admits(writer, frameBytes)) {
        if (clears) this.#source.clear(pages[next]!);
        if (this.#write(writer, pages[next]!)) zeroPages += 1;
        next += 1;
        myTurn.pass();
        if (cpuPerPageNs > 0) this.#workUntil(cpuBeganNs + next * cpuPerPageNs);
      }
      // Under a reservation nothing may pile up here: it would leave in a burst once the kernel takes it again.
      if (rate !== null) await this.#taken(taken.at(-1));
      // Without one nothing else lets the event loop turn, and an abort would go unheard.
      else await turn();
      this.#replies.check();
      if (this.#pacer.isRevoked) throw new Failure('the link allows nothing more');
      this.#pacer.departs(writer.lengthBytes);
      bytes += writer.lengthBytes;
      taken.push(this.#connection!.sendPages(writer.frames()));
    }
    await this.#taken(Promise.all(taken));
    this.#replies.check();
    if (endsRound) {
      this.#rounds += 1;
      await this.#control('round', this.#rounds);
      await this.#reply('round');
    }
    return { sentPages: pages.length, zeroPages, bytes };
  }

  /** Compares all pages as last sent with all pages as received. */
  async stop(guestTimeNs: number): Promise<void> {
    this.#cpuAtStopNs = threadCpuNs();
    await this.#control('stop', 0, encodeStop({ guestTimeNs, digest: this.#checksums.digest() }));
    await this.#reply('ready');
  }

  /** The destination's SHA-256 over all its memory. */
  async verify(): Promise<string> {
    await this.#control('verify');
    return (await this.#reply('verify')).payload.toString('utf8');
  }

  /** Gives the guest away. Resolves when it runs, with the time that took it at the destination. */
  async commit(): Promise<number> {
    const { cpuPerHandoverNs } = this.#cpu;
    if (cpuPerHandoverNs > 0) this.#workUntil(this.#cpuAtStopNs + cpuPerHandoverNs);
    await this.#control('commit');
    return decodeNanos((await this.#reply('running')).payload);
  }

  /** Ends the migrated guest: how far did it come? */
  async retire(): Promise<Retired> {
    await this.#control('retire');
    return decodeRetired((await this.#reply('retire')).payload);
  }

  /** Tells the destination why, if it is still there, and hangs up. */
  abort(why: string): void {
    this.#connection?.close(why);
  }

  /** Both ends prove that they have the key, this one first. @throws WireError the destination does not. */
  async #prove(key: Uint8Array, greeting: Uint8Array): Promise<void> {
    const source = sourceChallenge(greeting);
    this.#connection!.send('challenge', WIRE_VERSION, source);
    const { argument, payload: destination } = await this.#reply('challenge');
    checkChallenge('destination', argument, destination);
    const challenges = { source, destination };
    this.#connection!.send('proof', 0, proofOf('source', key, challenges));
    const { payload } = await this.#reply('proof');
    if (!isProofOf('destination', key, challenges, payload)) {
      throw new WireError('wrong key: the destination could not prove that it has the source’s');
    }
  }

  /** Where nothing has been said for long the bucket has room for a header; where it has none, something was. */
  #stayAlive(): void {
    if (!this.#connection!.maySend('alive') || !this.#pacer.allows(0, HEADER_BYTES)) return;
    this.#pacer.begins();
    this.#pacer.departs(HEADER_BYTES);
    this.#connection!.send('alive');
  }

  #admits(writer: FrameWriter, frameBytes: number): boolean {
    return writer.hasRoomFor(frameBytes) && this.#pacer.allows(writer.lengthBytes, frameBytes);
  }

  /** Uses CPU time until this thread has had so much of it. */
  #workUntil(cpuNs: Nanos): void {
    while (threadCpuNs() < cpuNs) this.#cpu.turn.pass();
  }

  /** Waits until the kernel has taken something: awake for a moment, because that is often all it takes, then asleep. */
  async #taken(bytes: Promise<unknown> | undefined): Promise<void> {
    if (!bytes) return;
    let settled = false;
    const settling = bytes.then(() => {
      settled = true;
    });
    const awakeUntilNs = clockNs() + AWAKE_NS;
    do await turn();
    while (!settled && clockNs() < awakeUntilNs);
    if (!settled) await this.#asleep(settling);
  }

  /** Gives up the processor while there is nothing to do but wait. */
  async #asleep<T>(waiting: Promise<T>): Promise<T> {
    this.#cpu.turn.sleeps();
    try {
      return await waiting;
    } finally {
      this.#cpu.turn.wakes();
    }
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
    this.#replies.check();
    this.#pacer.begins();
    await this.#pacer.wait(HEADER_BYTES + payload.length);
    this.#replies.check();
    this.#pacer.departs(HEADER_BYTES + payload.length);
    this.#connection!.send(type, argument, payload);
  }

  #take(header: FrameHeader, payload: Buffer): void {
    if (header.type === 'abort') {
      this.#replies.fail(new Failure(`the destination refused: ${printable(payload.toString('utf8'))}`));
      this.#connection!.finish();
    } else {
      this.#replies.add({ argument: header.argument, payload: Buffer.from(payload) });
    }
  }

  /** Sleeps until the destination has answered. */
  #reply(type: FrameType): Promise<Reply> {
    return this.#replies.next(type, (spoken) => this.#asleep(spoken));
  }
}
