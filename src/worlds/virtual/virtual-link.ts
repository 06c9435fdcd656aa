import { type Bucket, changeRate, fullBucket, reserveRow } from '../../core/link/bucket.ts';
import { Conformance } from '../../core/link/conformance.ts';
import type { LinkRecord } from '../../core/migration/course.ts';
import type { Bytes, BytesPerSecond, Nanos } from '../../core/units.ts';

/** A link in virtual time: the bucket alone decides when bytes leave, and they arrive at once. */
export class VirtualLink {
  readonly #depthBytes: Bytes;
  #bucket: Bucket | undefined;
  #account: Conformance | undefined;
  #reserved: BytesPerSecond = 0;

  constructor(depthBytes: Bytes) {
    this.#depthBytes = depthBytes;
  }

  setRate(rate: BytesPerSecond, now: Nanos): void {
    const before = this.#bucket?.rateBytesPerSecond ?? rate;
    this.#bucket = this.#bucket
      ? changeRate(this.#bucket, rate, now)
      : fullBucket(rate, this.#depthBytes, now);
    if (this.#account) this.#account.rateChanges(now, before);
    else this.#account = new Conformance(this.#depthBytes, now);
    this.#reserved ||= rate;
  }

  /** When `count` portions of `bytes`, all ready at `now`, leave one after the other. */
  send(now: Nanos, bytes: Bytes, count: number): Float64Array {
    const instants = new Float64Array(count);
    this.#bucket = reserveRow(this.#bucket!, now, bytes, instants);
    const rate = this.#bucket.rateBytesPerSecond;
    this.#account!.departedRow(instants, bytes, rate);
    return instants;
  }

  get record(): LinkRecord {
    return {
      reservedBytesPerSecond: this.#reserved,
      depthBytes: this.#depthBytes,
      sentBytes: this.#account?.sentBytes ?? 0,
      worstExcessBytes: this.#account?.worstExcessBytes ?? null,
      longestLatenessNs: 0,
    };
  }
}
