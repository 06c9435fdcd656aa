import { type Bucket, changeRate, fullBucket, reserve } from '../../core/link/bucket.ts';
import { type Conformance, conformance, departed, worstExcessBytes } from '../../core/link/conformance.ts';
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
    this.#bucket = this.#bucket
      ? changeRate(this.#bucket, rate, now)
      : fullBucket(rate, this.#depthBytes, now);
    this.#account ??= conformance(this.#depthBytes, now);
    this.#reserved ||= rate;
  }

  /** When `bytes` that are ready at `now` leave. */
  send(now: Nanos, bytes: Bytes): Nanos {
    const { at, next } = reserve(this.#bucket!, now, bytes);
    this.#bucket = next;
    this.#account = departed(this.#account!, at, bytes, next.rateBytesPerSecond);
    return at;
  }

  get record(): LinkRecord {
    return {
      reservedBytesPerSecond: this.#reserved,
      depthBytes: this.#depthBytes,
      sentBytes: this.#account?.sentBytes ?? 0,
      worstExcessBytes: this.#account ? worstExcessBytes(this.#account) : 0,
      longestLatenessNs: 0,
    };
  }
}
