import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../units.ts';

/**
 * Was a link reservation obeyed? Over all intervals [s, t] that begin and end at a departure,
 *
 *   excess(s, t) = bytes sent in [s, t] − (depth + ∫ rate)
 *
 * and the worst is at most 0 when the reservation held. With A(t) = bytes sent − ∫ rate, the worst excess is
 * the largest rise of A from just before one departure to just after a later one: one pass, constant memory.
 */
export class Conformance {
  readonly #depthBytes: Bytes;
  #sentBytes: Bytes = 0;
  #atNs: Nanos;
  /** A just after the last departure. */
  #ahead = 0;
  /** The least A just before any departure so far. */
  #leastAhead = Number.POSITIVE_INFINITY;
  #largestRise = 0;

  constructor(depthBytes: Bytes, now: Nanos) {
    this.#depthBytes = depthBytes;
    this.#atNs = now;
  }

  /** `bytes` left at `at`, this having been the rate since the last departure. In the order of time. */
  departed(at: Nanos, bytes: Bytes, rateBytesPerSecond: BytesPerSecond): void {
    this.departedRow(Float64Array.of(at), bytes, rateBytesPerSecond);
  }

  /** The rate changes at `at`, having been this since the last departure or change. */
  rateChanges(at: Nanos, rateBytesPerSecond: BytesPerSecond): void {
    this.#ahead -= (rateBytesPerSecond * (at - this.#atNs)) / NANOS_PER_SECOND;
    this.#atNs = at;
  }

  /** Equal portions left, one at each of these instants. */
  departedRow(instants: Float64Array, bytes: Bytes, rateBytesPerSecond: BytesPerSecond): void {
    const bytesPerNs = rateBytesPerSecond / NANOS_PER_SECOND;
    const ahead = this.#ahead;
    const sinceNs = this.#atNs;
    let leastAhead = this.#leastAhead;
    let largestRise = this.#largestRise;
    for (let i = 0; i < instants.length; i++) {
      // Each from the beginning of the row, so that none waits for the one before it.
      const before = ahead + bytes * i - bytesPerNs * (instants[i]! - sinceNs);
      if (before < leastAhead) leastAhead = before;
      const rise = before + bytes - leastAhead;
      if (rise > largestRise) largestRise = rise;
    }
    if (instants.length > 0) {
      this.#atNs = instants.at(-1)!;
      this.#ahead = ahead + bytes * instants.length - bytesPerNs * (this.#atNs - sinceNs);
    }
    this.#leastAhead = leastAhead;
    this.#largestRise = largestRise;
    this.#sentBytes += bytes * instants.length;
  }

  /** No interval t that began and ended at a departure has held more than this + ∫ rate. */
  get largestRiseBytes(): number {
    return this.#largestRise;
  }

  get sentBytes(): Bytes {
    return this.#sentBytes;
  }

  /** In whole bytes, rounded up past a thousandth of a byte, which is the arithmetic's own error. */
  get worstExcessBytes(): Bytes {
    return Math.ceil(this.#largestRise - this.#depthBytes - 1e-3) + 0;
  }
}
