import { setImmediate } from 'node:timers/promises';
import { idleLink, LinkAccount } from '../core/link/account.ts';
import { type Bucket, changeRate, fullBucket, level, reserve, withheld } from '../core/link/bucket.ts';
import { allowedRate, ceilingAt, isOutage } from '../core/link/ceiling.ts';
import type { LinkRecord } from '../core/migration/migration-result.ts';
import { type Bytes, type BytesPerSecond, NANOS_PER_MILLISECOND, type Nanos } from '../core/units.ts';
import type { FrameType } from '../core/wire/frames.ts';
import { clockNs } from '../platform/clock.ts';
import { sleepNs } from '../platform/timer.ts';
import type { ScheduledThread } from '../sched/scheduled-thread.ts';
import { Allowance } from './allowance.ts';

/** Longer waits than this leave the thread to its event loop; the rest, which a timer would miss, is slept out. */
const TIMER_GRAIN_NS = 3 * NANOS_PER_MILLISECOND;
/**
 * The shortest wait worth its cost: going to sleep, waking up and a write of its own take CPU time, which a reserved sender
 * has little of. Taken only where the bucket is deep enough to make up for it.
 */
const SHORTEST_WAIT_NS = NANOS_PER_MILLISECOND;

/** How soon it is looked again whether an outage is over. */
const OUTAGE_LOOK_NS = 5 * NANOS_PER_MILLISECOND;

/**
 * Holds a sender to its link reservation: says how long to wait before the next bytes, waits, and keeps an
 * account of what was sent and when. Without a rate it only keeps the account.
 */
export class Pacer {
  readonly #depthBytes: Bytes;
  readonly #thread: ScheduledThread;
  readonly #alarm = new Int32Array(new SharedArrayBuffer(4));
  readonly #allowance: Allowance;
  #asked: BytesPerSecond | null = null;
  #bucket: Bucket | undefined;
  #account: LinkAccount | undefined;
  #latestNs = 0;
  /** When bytes were last sent, or the rate was last changed. */
  #heldSinceNs = 0;
  /** What the kernel was given last. It has left then, unless the kernel says otherwise later. */
  #given: { readonly atNs: Nanos; readonly bytes: Bytes; readonly before: Bucket | undefined } | undefined;
  /** Bytes that were given earlier and had not left when the kernel was asked last. */
  #lateBytes = 0;

  /**
   * @param thread the processor of the thread that waits, which it gives up meanwhile
   * @param allowance what the link still allows, whatever rate is asked for
   */
  constructor(depthBytes: Bytes, thread: ScheduledThread, allowance = new Allowance()) {
    this.#depthBytes = depthBytes;
    this.#thread = thread;
    this.#allowance = allowance;
  }

  /** From now on, this rate. The tokens stay: what was saved up before the stop may still be used. */
  setRate(rate: BytesPerSecond | null): void {
    this.#asked = rate;
    this.#follow(clockNs());
  }

  /** Whether the link allows nothing more, for good. */
  get isRevoked(): boolean {
    return ceilingAt(this.#allowance.read(), clockNs()) === 0 && !this.#isOut;
  }

  /** Whether there is an outage: nothing passes, but will again. */
  get #isOut(): boolean {
    return isOutage(this.#allowance.read(), clockNs());
  }

  /** Whether there is a rate to keep to, as of the last bytes. */
  get isPaced(): boolean {
    return this.#bucket !== undefined;
  }

  /** Whether `bytes` may be sent now on top of `ahead` that are about to be sent. */
  allows(ahead: Bytes, bytes: Bytes): boolean {
    return this.#waitNs(ahead + bytes) === 0;
  }

  /** Whether there are tokens for so few bytes that they pass also during an outage: they keep the connection alive. */
  hasTokens(bytes: Bytes): boolean {
    return this.#tokensAfterNs(bytes) === 0;
  }

  /**
   * Whether a control frame may leave now, or never may. From the commit on nobody can end the migration, so that it does not
   * wait for the end of an outage.
   */
  lets(type: FrameType, bytes: Bytes): boolean {
    const isLate = type === 'commit' || type === 'retire';
    return (isLate ? this.hasTokens(bytes) : this.allows(0, bytes)) || this.isRevoked;
  }

  /**
   * Sleeps until `bytes` may be sent, during an outage for a moment, and lets the event loop run.
   * @param inAll what is to be sent, these bytes and all after them: it is waited for so much at most
   * @param endNs it is waited no longer than to this instant of the host's clock
   */
  async wait(bytes: Bytes, inAll = bytes, endNs = Number.POSITIVE_INFINITY): Promise<void> {
    let waitNs = this.#waitNs(bytes);
    if (waitNs === 0) return;
    const worthwhile = this.#waitNs(Math.min(inAll, this.#depthBytes / 2));
    waitNs = Math.max(waitNs, Math.min(SHORTEST_WAIT_NS, worthwhile));
    const until = Math.min(clockNs() + waitNs, endNs);
    waitNs = until - clockNs();
    if (waitNs <= 0) return;
    this.#thread.block(until);
    if (waitNs > TIMER_GRAIN_NS) await sleepNs(waitNs - TIMER_GRAIN_NS / 2);
    const restNs = until - clockNs();
    if (restNs > 0) Atomics.wait(this.#alarm, 0, 0, restNs / NANOS_PER_MILLISECOND);
    this.#latestNs = Math.max(this.#latestNs, clockNs() - until);
    this.#thread.unblock();
    await setImmediate();
  }

  /** There is something to send now. */
  begins(): void {
    this.#account?.begins(clockNs());
  }

  /**
   * Takes the tokens of bytes that the kernel has just been given. To encrypt and to write takes time, in which a full bucket
   * must not fill: the bytes may have left at its end. Before a rate was set nothing is accounted for.
   */
  sent(bytes: Bytes): void {
    const now = clockNs();
    this.#follow(now);
    this.#withhold(this.#lateBytes, now);
    this.#gone();
    this.#given = { atNs: now, bytes, before: this.#bucket };
    this.#heldSinceNs = now;
    if (this.#bucket) this.#bucket = reserve(this.#bucket, now, bytes).next;
  }

  /**
   * Of all bytes that the kernel was given, so many have not left: they count as sent when they do, and no tokens are saved up
   * beside them.
   */
  unsent(bytes: Bytes): void {
    const now = clockNs();
    this.#follow(now);
    const given = this.#given;
    const waiting = this.#lateBytes + (given?.bytes ?? 0);
    const left = Math.max(0, waiting - bytes);
    // What was given last follows upon what is late, if anything is.
    const at = this.#lateBytes > 0 || !given ? { atNs: now, before: this.#bucket } : given;
    if (left > 0) this.#account?.departed(at.atNs, left, at.before);
    this.#given = undefined;
    // If something was late, all that has left since may have left just now.
    const beside = Math.max(bytes, this.#lateBytes > 0 ? waiting : 0);
    this.#lateBytes = waiting - left;
    this.#withhold(beside, now);
  }

  /** The tokens in the bucket now; null without a rate. */
  get levelBytes(): Bytes | null {
    return this.#bucket ? Math.max(0, level(this.#bucket, clockNs())) : null;
  }

  get link(): LinkRecord {
    this.#gone();
    return this.#account?.record(this.#latestNs) ?? idleLink(this.#depthBytes);
  }

  /** The rate is the requested one, if there is one, or the ceiling if that is lower. A ceiling of 0 is no rate: see `isRevoked`. */
  #follow(now: Nanos): void {
    const limits = this.#allowance.read();
    const rate = allowedRate(this.#asked, limits, now);
    const before = this.#bucket?.rateBytesPerSecond ?? null;
    if (this.#account && rate === before) return;
    this.#gone();
    // A lower ceiling holds from its own instant on, as far as that was not noticed too late.
    const since = limits.findLast(({ fromNs }) => fromNs <= now)?.fromNs ?? now;
    const lowered = rate !== null && rate !== this.#asked && rate < (before ?? 0);
    const at = lowered ? Math.max(since, this.#heldSinceNs) : now;
    this.#heldSinceNs = at;
    if (rate === null) this.#bucket = undefined;
    else if (this.#bucket) this.#bucket = changeRate(this.#bucket, rate, at);
    else this.#bucket = fullBucket(rate, this.#depthBytes, now);
    this.#account ??= new LinkAccount(this.#depthBytes, now);
    this.#account.rateChanges(at, before ?? 0, rate);
  }

  /** No tokens are saved up beside bytes that have not left. */
  #withhold(waitingBytes: Bytes, now: Nanos): void {
    if (!this.#bucket || waitingBytes === 0) return;
    const before = level(this.#bucket, now);
    this.#bucket = withheld(this.#bucket, waitingBytes, now);
    this.#account?.withheld(before - level(this.#bucket, now));
  }

  /** What the kernel was given last has left then, as far as anybody knows. */
  #gone(): void {
    if (this.#given) this.#account?.departed(this.#given.atNs, this.#given.bytes, this.#given.before);
    this.#given = undefined;
  }

  #waitNs(bytes: Bytes): Nanos {
    return Math.max(this.#tokensAfterNs(bytes), this.#isOut ? OUTAGE_LOOK_NS : 0);
  }

  #tokensAfterNs(bytes: Bytes): Nanos {
    const now = clockNs();
    this.#follow(now);
    this.#withhold(this.#lateBytes, now);
    if (!this.#bucket) return 0;
    return bytes > this.#depthBytes ? Number.POSITIVE_INFINITY : reserve(this.#bucket, now, bytes).at - now;
  }
}
