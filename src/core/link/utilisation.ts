import { type Bytes, NANOS_PER_SECOND, type Nanos } from '../units.ts';
import type { Bucket } from './bucket.ts';

/**
 * How much of a reservation was used while there was something to send: of the tokens that flowed in then, those that
 * were not lost because the bucket was full,
 *
 *   bytes sent / (bytes sent + rate × time during which the bucket was full and something waited)
 *
 * For a sender that begins with an empty bucket this is bytes / (rate × time); what a bucket has saved up before
 * counts when it is spent. 1: a sender that was never late by more than its bucket holds.
 */
export class Utilisation {
  #sentBytes = 0;
  #lostBytes = 0;
  #lateNs = 0;
  #sinceNs = 0;

  /** From `now` on there is something to send. */
  begins(now: Nanos): void {
    this.#sinceNs = now;
  }

  /** `bytes` left at `at`; until then the bucket was `bucket`. @param freeNs something else stood in the way until then */
  departed(at: Nanos, bytes: Bytes, bucket: Bucket, freeNs: Nanos = 0): void {
    const sinceNs = Math.max(this.#sinceNs, bucket.fullAtNs);
    const lostNs = Math.max(0, at - sinceNs);
    this.#lateNs += Math.max(0, at - Math.max(sinceNs, freeNs));
    this.#lostBytes += (lostNs * bucket.rateBytesPerSecond) / NANOS_PER_SECOND;
    this.departedInTime(at, bytes);
  }

  /** Tokens that were not given, since the reservation's own bytes stood in the way. */
  lost(bytes: Bytes): void {
    this.#lostBytes += bytes;
  }

  /** `bytes` left, the last of them at `at`, each as soon as the bucket let it. */
  departedInTime(at: Nanos, bytes: Bytes): void {
    this.#sentBytes += bytes;
    this.#sinceNs = at;
  }

  /** How long the bucket was full while something waited, and nothing stood in its way. */
  get lateNs(): Nanos {
    return this.#lateNs;
  }

  /** null: nothing was sent under a reservation. */
  get fraction(): number | null {
    return this.#sentBytes === 0 ? null : this.#sentBytes / (this.#sentBytes + this.#lostBytes);
  }
}
