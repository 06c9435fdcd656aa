import {
  type Bytes,
  type BytesPerSecond,
  NANOS_PER_MILLISECOND,
  NANOS_PER_SECOND,
  type Nanos,
} from '../units.ts';

/** Shorter than this a token bucket's burst would look like a bandwidth (QEMU measures over its BUFFER_DELAY). */
export const SHORTEST_WINDOW_NS = 100 * NANOS_PER_MILLISECOND;

/** The bandwidth that a migration sees, over windows of at least 100 ms of sending. */
export class BandwidthMeter {
  #windowNs: Nanos = 0;
  #windowBytes: Bytes = 0;
  #seen: BytesPerSecond = 0;

  sent(bytes: Bytes, durationNs: Nanos): void {
    this.#windowBytes += bytes;
    this.#windowNs += durationNs;
    if (this.#windowNs < SHORTEST_WINDOW_NS) return;
    this.#seen = (this.#windowBytes * NANOS_PER_SECOND) / this.#windowNs;
    this.#windowNs = 0;
    this.#windowBytes = 0;
  }

  /** 0 until the first window is full. */
  get bytesPerSecond(): BytesPerSecond {
    return this.#seen;
  }
}
