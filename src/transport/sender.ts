import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { notEncrypted } from '../core/link/encryption.ts';
import type { LinkRecord } from '../core/migration/migration-result.ts';
import type { Step } from '../core/migration/steps.ts';
import type { Nanos } from '../core/units.ts';
import { type FrameType, HEADER_BYTES, LARGEST_CONTROL_BYTES, WIRE_VERSION } from '../core/wire/frames.ts';
import { clockNs } from '../platform/clock.ts';
import { Failure, printable, reasonOf } from '../platform/failure.ts';
import { threadCpuNs } from '../platform/thread-clock.ts';
import type { DestinationThere } from './address.ts';
import type { Allowance } from './allowance.ts';
import { askedOutcome } from './asked-outcome.ts';
import { connected } from './connect.ts';
import { keyToProve } from './credentials.ts';
import type { FrameWriter } from './frame-writer.ts';
import { decodeWelcome, encodeHello, type Hello } from './hello.ts';
import { ALIVE_MS, SILENCE_MS } from './limits.ts';
import { Pacer } from './pacer.ts';
import { PageFrames, type PageSource, type SentPages } from './page-frames.ts';
import {
  type Committed,
  decodeRetired,
  decodeTakenOver,
  decodeWorked,
  encodeStop,
  type Retired,
} from './payloads.ts';
import type { Reply } from './replies.ts';
import { type SenderCpu, SenderProcessor } from './sender-processor.ts';
import { type FirstFrame, SourceConnection } from './source-connection.ts';
import { StreamDigest } from './stream-digest.ts';
import type { UnsentBytes } from './unsent/unsent-bytes.ts';

/** The instant of `untilNs` is on the host's clock. */
type PagesToSend = Omit<Extract<Step, { kind: 'send' }>, 'kind'>;

/** When an answer came, by the host's clock: before the sender had its processor again to go on. */
interface Heard {
  readonly heardAtNs: Nanos;
}

/** How soon the kernel is asked again whether all has left. */
const UNSENT_AGAIN_MS = 1;

/** The source's end of a migration: sends pages as the pacer allows, and speaks the hand-over. */
export class Sender {
  readonly #cpu: SenderCpu;
  readonly #processor: SenderProcessor;
  readonly #pacer: Pacer;
  readonly #frames: PageFrames;
  readonly #unsent: UnsentBytes | undefined;
  #rounds = 0;
  #cpuAtStopNs: Nanos = 0;
  #connection: SourceConnection | undefined;
  #digest: StreamDigest | undefined;
  /** What to ask whom, if the commit is not answered. */
  #question: { readonly to: DestinationThere; readonly migration: string } | undefined;

  /** @param unsent whom to ask what of the bytes sent has not left; without it, all has */
  constructor(
    source: PageSource,
    depthBytes: number,
    cpu: SenderCpu,
    allowance?: Allowance,
    unsent?: UnsentBytes,
  ) {
    this.#cpu = cpu;
    this.#processor = new SenderProcessor(cpu.thread);
    this.#pacer = new Pacer(depthBytes, cpu.thread, allowance);
    this.#frames = new PageFrames(source);
    this.#unsent = unsent;
    // The first reading of the clock takes longer than any later one.
    if (cpu.cpuPerPageNs + cpu.cpuPerHandoverNs > 0) threadCpuNs();
  }

  get link(): LinkRecord {
    const { encryption = notEncrypted, roundTripNs = null } = this.#connection ?? {};
    return { ...this.#pacer.link, roundTripNs, encryption };
  }

  /** The tokens in the bucket now; null without a rate. */
  levelBytes(): number | null {
    return this.#pacer.levelBytes;
  }

  /** Connects and sends the hello. @throws Failure no destination there, or it refuses. */
  async greet(to: DestinationThere, hello: Omit<Hello, 'version'>): Promise<void> {
    this.#question = { to, migration: hello.migration };
    this.#digest = new StreamDigest(hello.migration, keyToProve(to));
    const payload = encodeHello({ version: WIRE_VERSION, ...hello });
    const { payload: welcome, waitedNs } = await this.#open(to, { type: 'hello', argument: 0, payload });
    try {
      this.#connection!.went(waitedNs - decodeWelcome(welcome).workedNs);
    } catch (cause) {
      this.#connection!.connection.close(reasonOf(cause));
      throw cause;
    }
  }

  /**
   * Sends these pages in this order at this rate. Resolves when the kernel has them, and at the end of a round when
   * the destination has everything.
   */
  async sendPages(step: PagesToSend): Promise<SentPages> {
    const { pages, rateBytesPerSecond, clears, endsRound, untilNs = Number.POSITIVE_INFINITY } = step;
    const frameBytes = this.#connection!.wireBytes(HEADER_BYTES + this.#frames.payloadBytes);
    const { thread, cpuPerPageNs } = this.#cpu;
    const cpuBeganNs = cpuPerPageNs > 0 ? threadCpuNs() : 0;
    this.#pacer.setRate(rateBytesPerSecond);
    this.#pacer.begins();
    const { perPage } = this.#frames;
    const frames = pages.length * perPage;
    let zeroPages = 0;
    let bytes = 0;
    const taken: Promise<void>[] = [];
    const admits = (writer: FrameWriter) => this.#admits(writer, frameBytes);
    const sentOne = (count: number) => {
      thread.checkpoint();
      if (cpuPerPageNs > 0) this.#processor.workUntil(cpuBeganNs + (count / perPage) * cpuPerPageNs);
    };
    let next = 0;
    while (next < frames) {
      // A page of which a piece has left leaves whole.
      const endsAtNs = next % perPage === 0 ? untilNs : Number.POSITIVE_INFINITY;
      do {
        await this.#pacer.wait(frameBytes, (frames - next) * frameBytes, endsAtNs);
        // Without a rate there are no tokens whose place it could take, and each question is a wait for another thread.
        if (this.#pacer.isPaced) this.#askUnsent();
        this.#connection!.replies.check();
      } while (!this.#pacer.allows(0, frameBytes) && !this.#pacer.isRevoked && clockNs() < endsAtNs);
      if (clockNs() >= endsAtNs) break;
      await this.#untilTaken(taken[PageFrames.before(taken.length)]);
      const writer = this.#frames.writer(taken.length);
      const filled = this.#frames.fill(writer, { pages, clears, from: next }, admits, sentOne);
      zeroPages += filled.zeroPages;
      next = filled.next;
      // Under a reservation nothing may pile up here: it would be sent in a burst once the kernel takes it again.
      if (rateBytesPerSecond !== null) await this.#untilTaken(taken.at(-1));
      // Without one nothing else lets the event loop run, and an abort would go unheard.
      else await setImmediate();
      this.#connection!.replies.check();
      if (this.#pacer.isRevoked) throw new Failure('the reservation on the link was revoked');
      bytes += writer.lengthBytes;
      this.#digest!.add(writer.frames());
      taken.push(this.#connection!.connection.sendPages(writer.frames()));
      this.#pacer.sent(this.#connection!.wireBytes(writer.lengthBytes));
    }
    await this.#untilTaken(Promise.all(taken));
    while (this.#askUnsent() > 0) await this.#processor.asleep(sleep(UNSENT_AGAIN_MS));
    this.#connection!.replies.check();
    if (endsRound && next === frames) {
      this.#rounds += 1;
      await this.#control('round', this.#rounds, this.#digest!.take());
      const askedAtNs = clockNs();
      this.#connection!.went((await this.#connection!.reply()).atNs - askedAtNs);
    }
    return { sentPages: next / perPage, zeroPages, bytes };
  }

  /** Sends the guest's device state. */
  async sendState(state: Uint8Array): Promise<void> {
    const most = Math.min(this.#frames.payloadBytes, LARGEST_CONTROL_BYTES);
    for (let offset = 0; offset < state.length; offset += most) {
      const piece = state.subarray(offset, offset + most);
      this.#digest!.add(piece);
      await this.#control('state', offset, piece);
    }
  }

  /**
   * Compares all that was sent of the guest with what was received of it.
   * @param paused whether the guest is to stay paused at the destination too
   * @returns by how much more than a round trip, and the destination's work, the answer came late
   */
  async stop(guestTimeNs: number, paused: boolean): Promise<Heard & { readonly lateNs: Nanos }> {
    if (this.#cpu.cpuPerHandoverNs > 0) this.#cpuAtStopNs = threadCpuNs();
    const digest = this.#digest!.end(guestTimeNs, paused);
    await this.#control('stop', paused ? 1 : 0, encodeStop({ guestTimeNs, digest }));
    const askedAtNs = clockNs();
    const { payload, atNs } = await this.#connection!.reply();
    return { heardAtNs: atNs, lateNs: this.#connection!.went(atNs - askedAtNs - decodeWorked(payload)) };
  }

  /** The destination's SHA-256 over all its memory. */
  async verify(): Promise<Heard & { readonly sha256: string }> {
    await this.#control('verify');
    const { payload, atNs } = await this.#connection!.reply();
    return { heardAtNs: atNs, sha256: payload.toString('utf8') };
  }

  /** Hands the guest over. If the destination does not answer, it is asked for the outcome over another connection. */
  async commit(): Promise<Committed> {
    const { cpuPerHandoverNs } = this.#cpu;
    if (cpuPerHandoverNs > 0) this.#processor.workUntil(this.#cpuAtStopNs + cpuPerHandoverNs);
    try {
      await this.#control('commit');
    } catch (cause) {
      return { kind: 'not taken', why: reasonOf(cause) };
    }
    try {
      return { kind: 'running', ...decodeTakenOver((await this.#connection!.reply()).payload) };
    } catch (cause) {
      const trouble = `${reasonOf(cause)}, after the commit`;
      this.#connection!.connection.close(trouble);
      const answer = await this.#ask();
      if (answer?.type === 'running') return { kind: 'running', ...decodeTakenOver(answer.payload) };
      if (answer) {
        const why = printable(answer.payload.toString('utf8'));
        return {
          kind: 'not taken',
          why: `${trouble}; when asked, the destination returned the guest: ${why}`,
        };
      }
      return {
        kind: 'not answered',
        why: `${trouble}: the destination may run the guest, so it stays paused here`,
      };
    }
  }

  /** The destination keeps the guest: the connection ends. */
  finish(): void {
    this.#connection!.connection.finish();
  }

  /** Ends the migrated guest: how far did it come? */
  async retire(): Promise<Retired> {
    await this.#control('retire');
    return decodeRetired((await this.#connection!.reply()).payload);
  }

  /** Tells the destination why, if it is still there, and hangs up. Whatever waits for it ends with the same reason. */
  abort(why: string): void {
    this.#connection?.replies.fail(new Failure(why));
    this.#connection?.connection.close(why);
  }

  #ask(): Promise<Reply | undefined> {
    const { to, migration } = this.#question!;
    return askedOutcome(
      migration,
      to.silenceMs ?? SILENCE_MS,
      (first, silenceMs) => this.#open({ ...to, silenceMs }, first),
      (ms) => this.#processor.asleep(sleep(ms)),
    );
  }

  /** Sends a sign of life. If the bucket has no room for a header, something else was sent just before. */
  #stayAlive(): void {
    const bytes = this.#connection!.wireBytes(HEADER_BYTES);
    if (!this.#connection!.connection.maySend('alive') || !this.#pacer.hasTokens(bytes)) return;
    this.#pacer.begins();
    this.#connection!.connection.send('alive');
    this.#pacer.sent(bytes);
  }

  /** @returns how much of what was sent has not left, if known */
  #askUnsent(): number {
    const descriptor = this.#connection!.connection.descriptor;
    const unsent = descriptor === undefined ? undefined : this.#unsent?.of(descriptor);
    if (unsent !== undefined) this.#pacer.unsent(unsent);
    return unsent ?? 0;
  }

  #admits(writer: FrameWriter, frameBytes: number): boolean {
    if (!writer.hasRoomFor(this.#frames.payloadBytes)) return false;
    if (!this.#pacer.isPaced) return true;
    return this.#pacer.allows(this.#connection!.wireBytes(writer.lengthBytes), frameBytes);
  }

  /** Waits until the kernel has taken something. */
  async #untilTaken(bytes: Promise<unknown> | undefined): Promise<void> {
    if (bytes) await this.#processor.awakeFirst(Promise.race([bytes, this.#connection!.replies.failed]));
  }

  async #control(type: FrameType, argument = 0, payload: Uint8Array = new Uint8Array(0)): Promise<void> {
    this.#connection!.replies.check();
    this.#pacer.begins();
    const bytes = this.#connection!.wireBytes(HEADER_BYTES + payload.length);
    do {
      await this.#pacer.wait(bytes);
      this.#connection!.replies.check();
    } while (!this.#pacer.lets(type, bytes));
    this.#connection!.connection.send(type, argument, payload);
    this.#pacer.sent(bytes);
  }

  async #open(to: DestinationThere, first: FirstFrame): ReturnType<SourceConnection['open']> {
    const { silenceMs = SILENCE_MS } = to;
    const socket = await this.#processor.asleep(connected(to));
    const alive = setInterval(() => this.#stayAlive(), ALIVE_MS);
    this.#connection = new SourceConnection(socket, {
      ...{ credentials: to, silenceMs, pageBytesPerFrame: this.#frames.payloadBytes },
      asleep: (waiting) => this.#processor.asleep(waiting),
      closed: () => clearInterval(alive),
    });
    return this.#connection.open(first);
  }
}
