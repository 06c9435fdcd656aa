import type { LinkRecord } from '../migration/migration-result.ts';
import {
  type Bytes,
  type BytesPerSecond,
  NANOS_PER_MILLISECOND,
  NANOS_PER_SECOND,
  type Nanos,
} from '../units.ts';
import type { Bucket, DepartureRun } from './bucket.ts';
import { Conformance } from './conformance.ts';
import { notEncrypted } from './encryption.ts';
import { RunWindows } from './run-windows.ts';
import { Utilisation } from './utilisation.ts';
import { DepartureWindows } from './windows.ts';

/** What somebody who watches the link would average over. */
const WINDOWS_NS = [10, 100, 1_000].map((ms) => ms * NANOS_PER_MILLISECOND);

/** Everything that is written down of what left over a link: one pass, bounded memory. */
export class LinkAccount {
  readonly #depthBytes: Bytes;
  readonly #conformance: Conformance;
  readonly #windows: DepartureWindows | undefined;
  /** Once portions are told in runs, these are windows of all. */
  #runWindows: RunWindows | undefined;
  readonly #utilisation = new Utilisation();
  #reservedBytesPerSecond: BytesPerSecond | null = null;
  #highestBytesPerSecond: BytesPerSecond = 0;

  /** @param windows whether to look at windows too, which costs virtual time more than a tenth of its speed */
  constructor(depthBytes: Bytes, now: Nanos, windows = true) {
    this.#depthBytes = depthBytes;
    this.#windows = windows ? new DepartureWindows(WINDOWS_NS) : undefined;
    this.#conformance = new Conformance(depthBytes, now);
  }

  /** From now on another rate, null: none. */
  rateChanges(
    now: Nanos,
    beforeBytesPerSecond: BytesPerSecond,
    rateBytesPerSecond: BytesPerSecond | null,
  ): void {
    this.#conformance.rateChanges(now, beforeBytesPerSecond);
    this.#reservedBytesPerSecond ??= rateBytesPerSecond;
    this.#highestBytesPerSecond = Math.max(this.#highestBytesPerSecond, rateBytesPerSecond ?? 0);
  }

  /** From now on there is something to send. */
  begins(now: Nanos): void {
    this.#utilisation.begins(now);
  }

  /**
   * `bytes` left at `at`, the bucket, if there is one, having been `before` until then.
   * @param freeNs until then what had left before stood in their way
   */
  departed(at: Nanos, bytes: Bytes, before: Bucket | undefined, freeNs: Nanos = 0): void {
    this.#count(Float64Array.of(at), bytes, before?.rateBytesPerSecond ?? 0);
    if (before) this.#utilisation.departed(at, bytes, before, freeNs);
  }

  /** Tokens were withheld, because what had taken tokens before could not leave. */
  withheld(bytes: Bytes): void {
    this.#utilisation.lost(bytes);
  }

  /** Equal portions left, one at each of these instants, each as soon as its bucket let it. */
  departedRow(instants: Float64Array, bytes: Bytes, rateBytesPerSecond: BytesPerSecond): void {
    const from = evenFrom(instants, (bytes * NANOS_PER_SECOND) / rateBytesPerSecond);
    this.#count(instants.subarray(0, from), bytes, rateBytesPerSecond);
    this.#countEvenly(instants.subarray(from), bytes, rateBytesPerSecond);
    if (instants.length > 0) this.#utilisation.departedInTime(instants.at(-1)!, bytes * instants.length);
  }

  /** The same of portions that are not told one by one. */
  departedRun(run: DepartureRun, bytes: Bytes, rateBytesPerSecond: BytesPerSecond): void {
    this.#conformance.departedRun(run, bytes, rateBytesPerSecond);
    if (this.#windows) (this.#runWindows ??= new RunWindows(WINDOWS_NS)).departed(run, bytes);
    this.#utilisation.departedInTime(run.lastNs, bytes * run.count);
  }

  record(longestLatenessNs: Nanos): LinkRecord {
    const unreserved = this.#reservedBytesPerSecond === null;
    return {
      reservedBytesPerSecond: this.#reservedBytesPerSecond,
      depthBytes: this.#depthBytes,
      sentBytes: this.#conformance.sentBytes,
      worstExcessBytes: unreserved ? null : this.#conformance.worstExcessBytes,
      windows: (this.#windows?.mostBytes ?? []).map((mostBytes, index) => ({
        windowNs: WINDOWS_NS[index]!,
        mostBytes: this.#runWindows?.mostBytes[index] ?? mostBytes,
        allowedBytes: unreserved ? null : this.#allowedBytes(WINDOWS_NS[index]!),
      })),
      utilisation: this.#utilisation.fraction,
      longestLatenessNs,
      lateNs: this.#utilisation.lateNs,
      roundTripNs: null,
      encryption: notEncrypted,
    };
  }

  #count(instants: Float64Array, bytes: Bytes, rateBytesPerSecond: BytesPerSecond): void {
    this.#conformance.departedRow(instants, bytes, rateBytesPerSecond);
    if (this.#runWindows) {
      for (const at of instants) {
        this.#runWindows.departed({ count: 1, firstNs: at, lastNs: at, gapNs: 0 }, bytes);
      }
      return;
    }
    const { largestRiseBytes } = this.#conformance;
    this.#windows?.departedRow(instants, bytes, largestRiseBytes, this.#highestBytesPerSecond);
  }

  /** The same of portions that leave exactly as far apart as the rate says: what their ends say of them is enough. */
  #countEvenly(instants: Float64Array, bytes: Bytes, rateBytesPerSecond: BytesPerSecond): void {
    if (this.#runWindows || instants.length < 2) {
      this.#count(instants, bytes, rateBytesPerSecond);
      return;
    }
    const [count, firstNs, lastNs] = [instants.length, instants[0]!, instants.at(-1)!];
    const gapNs = (lastNs - firstNs) / (count - 1);
    this.#conformance.departedRun({ count, firstNs, lastNs, gapNs }, bytes, rateBytesPerSecond);
    const { largestRiseBytes } = this.#conformance;
    this.#windows?.departedEvenly(instants, bytes, largestRiseBytes, this.#highestBytesPerSecond);
  }

  #allowedBytes(windowNs: Nanos): Bytes {
    return Math.floor(this.#depthBytes + (this.#highestBytesPerSecond * windowNs) / NANOS_PER_SECOND);
  }
}

/**
 * From which of these portions on they leave exactly so far apart, each as soon as its bucket let it; their number: from none.
 * Once the bucket is empty none leaves sooner, so that all are as far apart if the last is as late as that comes to.
 */
function evenFrom(instants: Float64Array, gapNs: Nanos): number {
  if (!Number.isInteger(gapNs)) return instants.length;
  const last = instants.length - 1;
  let from = 0;
  while (from < last && instants[from + 1]! - instants[from]! !== gapNs) from++;
  return instants[last]! - instants[from]! === (last - from) * gapNs ? from : instants.length;
}

/** Of a link over which nothing has been sent yet. */
export function idleLink(depthBytes: Bytes): LinkRecord {
  return new LinkAccount(depthBytes, 0).record(0);
}
