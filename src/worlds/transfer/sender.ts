import { setImmediate as turn } from 'node:timers/promises';
import type { LinkRecord } from '../../core/migration/course.ts';
import type { BytesPerSecond, Nanos } from '../../core/units.ts';
import {
  type FrameHeader,
  type FrameType,
  HEADER_BYTES,
  LARGEST_CONTROL_BYTES,
  WIRE_VERSION,
  WireError,
} from '../../core/wire/frames.ts';
import { clockNs } from '../clock.ts';
import { threadCpuNs } from '../cpu/thread-clock.ts';
import type { Turn } from '../cpu/turn.ts';
import { Failure, printable, reasonOf } from '../failure.ts';
import type { Allowance } from './allowance.ts';
import { connected, type DestinationThere } from './connect.ts';
import { Connection } from './connection.ts';
import type { FrameWriter } from './frame-writer.ts';
import { decodeAnswer, encodeHello, type Hello } from './hello.ts';
import { ALIVE_MS, SILENCE_MS } from './limits.ts';
import { Pacer } from './pacer.ts';
import { PageFrames, type PageSource } from './page-frames.ts';
import { decodeNanos, decodeRetired, encodeStop, type Retired } from './payloads.ts';
import { checkChallenge, isProofOf, proofOf, sourceChallenge } from './proof.ts';
import { Replies, type Reply } from './replies.ts';

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

/** What came of the commit: the guest runs there, and that took so long; it is the source's; or nobody can say. */
export type Committed =
  | { readonly kind: 'running'; readonly resumeNs: Nanos }
  | { readonly kind: 'not sent' | 'not answered'; readonly why: string };

/** Whoever goes to sleep gives up the processor, and may wait long for its next turn. */
const AWAKE_NS = 300_000;

/** The source's end of a migration: sends pages as the pacer allows, and speaks the hand-over. */
export class Sender {
  readonly #source: PageSource;
  readonly #cpu: SenderCpu;
  readonly #pacer: Pacer;
  readonly #frames: PageFrames;
  readonly #replies = new Replies();
  #rounds = 0;
  #cpuAtStopNs: Nanos = 0;
  #connection: Connection | undefined;

  constructor(source: PageSource, depthBytes: number, cpu: SenderCpu, allowance?: Allowance) {
    this.#source = source;
    this.#cpu = cpu;
    this.#pacer = new Pacer(depthBytes, cpu.turn, allowance);
    this.#frames = new PageFrames(source);
  }

  get link(): LinkRecord {
    return this.#pacer.link;
  }

  /** The tokens in the bucket now; null without a rate. */
  get levelBytes(): number | null {
    return this.#pacer.levelBytes;
  }

  /** Connects and greets. @throws Failure nobody there, or refused. */
  async greet(to: DestinationThere, hello: Omit<Hello, 'version'>): Promise<void> {
    const { key, silenceMs = SILENCE_MS } = to;
    const socket = await connected(to);
    const alive = setInterval(() => this.#stayAlive(), ALIVE_MS);
    this.#connection = new Connection(
      socket,
      'source',
      key !== null,
      (header, payload) => this.#take(header, payload),
      (why) => {
        clearInterval(alive);
        this.#replies.fail(why ? broken(why) : new Failure('the destination hung up'));
      },
      (why) => this.#replies.fail(broken(why)),
    );
    this.#connection.longestSilenceMs = silenceMs;
    this.#connection.pageSizeBytes = this.#source.pageSizeBytes;
    const greeting = encodeHello({ version: WIRE_VERSION, ...hello });
    try {
      if (key) await this.#prove(key, greeting);
      this.#connection.send('hello', 0, greeting);
      const { payload } = await this.#reply();
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
      await this.#taken(taken[PageFrames.before(taken.length)]);
      const writer = this.#frames.writer(taken.length);
      while (next < pages.length && this.#admits(writer, frameBytes)) {
        if (clears) this.#source.clear(pages[next]!);
        if (this.#frames.write(writer, pages[next]!)) zeroPages += 1;
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
      await this.#reply();
    }
    return { sentPages: pages.length, zeroPages, bytes };
  }

  /** Sends what the guest is beyond its pages. */
  async sendState(state: Buffer): Promise<void> {
    const most = Math.min(this.#source.pageSizeBytes, LARGEST_CONTROL_BYTES);
    for (let offset = 0; offset < state.length; offset += most) {
      await this.#control('state', offset, state.subarray(offset, offset + most));
    }
  }

  /**
   * Compares all pages as last sent with all pages as received.
   * @param paused whether the guest is to stand at the destination too
   */
  async stop(guestTimeNs: number, paused: boolean): Promise<void> {
    this.#cpuAtStopNs = threadCpuNs();
    const digest = this.#frames.checksums.digest();
    await this.#control('stop', paused ? 1 : 0, encodeStop({ guestTimeNs, digest }));
    await this.#reply();
  }

  /** The destination's SHA-256 over all its memory. */
  async verify(): Promise<string> {
    await this.#control('verify');
    return (await this.#reply()).payload.toString('utf8');
  }

  /** Gives the guest away. Whoever hears nothing of this knows nothing. */
  async commit(): Promise<Committed> {
    const { cpuPerHandoverNs } = this.#cpu;
    if (cpuPerHandoverNs > 0) this.#workUntil(this.#cpuAtStopNs + cpuPerHandoverNs);
    try {
      await this.#control('commit');
    } catch (cause) {
      return { kind: 'not sent', why: reasonOf(cause) };
    }
    try {
      return { kind: 'running', resumeNs: decodeNanos((await this.#reply()).payload) };
    } catch (cause) {
      const why = `${reasonOf(cause)}, after the commit: the destination may run the guest, so it stands here`;
      return { kind: 'not answered', why };
    }
  }

  /** Leaves the guest to the destination, which runs it: all is said. */
  leave(): void {
    this.#connection!.finish();
  }

  /** Ends the migrated guest: how far did it come? */
  async retire(): Promise<Retired> {
    await this.#control('retire');
    return decodeRetired((await this.#reply()).payload);
  }

  /** Tells the destination why, if it is still there, and hangs up. Whatever waits for it ends with the same reason. */
  abort(why: string): void {
    this.#replies.fail(new Failure(why));
    this.#connection?.close(why);
  }

  /** Both ends prove that they have the key, this one first. @throws WireError the destination does not. */
  async #prove(key: Uint8Array, greeting: Uint8Array): Promise<void> {
    const source = sourceChallenge(greeting);
    this.#connection!.send('challenge', WIRE_VERSION, source);
    const { argument, payload: destination } = await this.#reply();
    checkChallenge('destination', argument, destination);
    const challenges = { source, destination };
    this.#connection!.send('proof', 0, proofOf('source', key, challenges));
    const { payload } = await this.#reply();
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
    const settling = Promise.race([bytes, this.#replies.failed]).then(() => {
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
  #reply(): Promise<Reply> {
    return this.#replies.next((spoken) => this.#asleep(spoken));
  }
}

function broken(why: Error): Failure {
  return new Failure(`the connection broke: ${reasonOf(why)}`);
}
