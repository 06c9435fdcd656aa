import {
  type Bytes,
  type BytesPerSecond,
  NANOS_PER_MILLISECOND,
  NANOS_PER_SECOND,
  type Nanos,
} from '../units.ts';

/** Shorter than this a token bucket's burst would look like a bandwidth (QEMU measures over its BUFFER_DELAY). */
export const SHORTEST_WINDOW_NS = 100 * NANOS_PER_MILLISECOND;

/**
 * The bandwidth that a migration sees, over windows of at least 100 ms of sending. What a full bucket lets through at once is no
 * bandwidth: it is never more than what is reserved.
 */
export class BandwidthMeter {
  readonly #mostBytesPerSecond: BytesPerSecond;
  #windowNs: Nanos = 0;
  #windowBytes: Bytes = 0;
  #seen: BytesPerSecond = 0;

  /** @param reserved null: nothing is */
  constructor(reserved: BytesPerSecond | null) {
    this.#mostBytesPerSecond = reserved ?? Number.POSITIVE_INFINITY;
  }

  sent(bytes: Bytes, durationNs: Nanos): void {
    this.#windowBytes += bytes;
    this.#windowNs += durationNs;
    if (this.#windowNs < SHORTEST_WINDOW_NS) return;
    this.#seen = Math.min(this.#mostBytesPerSecond, (this.#windowBytes * NANOS_PER_SECOND) / this.#windowNs);
    this.#windowNs = 0;
    this.#windowBytes = 0;
  }

  /** 0 until the first window is full. */
  get bytesPerSecond(): BytesPerSecond {
    return this.#seen;
  }
}
