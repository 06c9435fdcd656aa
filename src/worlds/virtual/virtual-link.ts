import { idleLink, LinkAccount } from '../../core/link/account.ts';
import { type Bucket, changeRate, fullBucket, reserve, reserveRow } from '../../core/link/bucket.ts';
import type { LinkRecord } from '../../core/migration/course.ts';
import type { Bytes, BytesPerSecond, Nanos } from '../../core/units.ts';

/** A link in virtual time: the bucket alone decides when bytes may leave, and they arrive at once. */
export class VirtualLink {
  readonly #depthBytes: Bytes;
  readonly #windows: boolean;
  #bucket: Bucket | undefined;
  #account: LinkAccount | undefined;

  constructor(depthBytes: Bytes, windows: boolean) {
    this.#depthBytes = depthBytes;
    this.#windows = windows;
  }

  /**
   * From now on this rate, and something to send.
   * @param rate null: bytes leave as soon as they are there
   */
  setRate(rate: BytesPerSecond | null, now: Nanos): void {
    const before = this.#bucket?.rateBytesPerSecond ?? 0;
    if (rate === null) this.#bucket = undefined;
    else if (this.#bucket) this.#bucket = changeRate(this.#bucket, rate, now);
    else this.#bucket = fullBucket(rate, this.#depthBytes, now);
    this.#account ??= new LinkAccount(this.#depthBytes, now, this.#windows);
    this.#account.rateChanges(now, before, rate);
    this.#account.begins(now);
  }

  /** When `count` portions of `bytes`, all ready at `now`, leave one after the other. */
  send(now: Nanos, bytes: Bytes, count: number): Float64Array {
    const instants = new Float64Array(count);
    this.#bucket = reserveRow(this.#bucket!, now, bytes, instants);
    const rate = this.#bucket.rateBytesPerSecond;
    this.#account!.departedRow(instants, bytes, rate);
    return instants;
  }

  /** When `bytes` may leave, at `now` or later. */
  readyNs(now: Nanos, bytes: Bytes): Nanos {
    return this.#bucket ? reserve(this.#bucket, now, bytes).at : now;
  }

  /** They leave now, and may. */
  departs(now: Nanos, bytes: Bytes): void {
    this.#account!.departed(now, bytes, this.#bucket);
    if (this.#bucket) this.#bucket = reserve(this.#bucket, now, bytes).next;
  }

  /** When all that has left by `now` is there. */
  arrivedNs(now: Nanos): Nanos {
    return now;
  }

  get record(): LinkRecord {
    return this.#account?.record(0) ?? idleLink(this.#depthBytes);
  }
}
