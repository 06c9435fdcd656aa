import { idleLink, LinkAccount } from '../../core/link/account.ts';
import {
  type Bucket,
  changeRate,
  type DepartureRun,
  fullBucket,
  reserve,
  reserveRow,
  reserveRun,
} from '../../core/link/bucket.ts';
import {
  allowedRate,
  type Ceiling,
  isOutage,
  nextChangeNs,
  outageEndNs,
  revokedWhy,
} from '../../core/link/ceiling.ts';
import type { LinkRecord } from '../../core/migration/migration-result.ts';
import { type Plan, pausedTooLong } from '../../core/migration/plan.ts';
import type { StepResultOf } from '../../core/migration/steps.ts';
import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';

/** As many as left before the link allowed nothing more; `untilNs`: the last of them, or when that turned out. */
interface SentRuns {
  readonly runs: readonly DepartureRun[];
  readonly sent: number;
  readonly untilNs: Nanos;
}

/** How many of the portions in these runs leave before an instant. */
function countBefore(runs: readonly DepartureRun[], atNs: Nanos): number {
  let sum = 0;
  for (const { count, firstNs, gapNs } of runs) {
    if (gapNs === 0) sum += firstNs < atNs ? count : 0;
    else sum += Math.min(count, Math.max(0, Math.ceil((atNs - firstNs) / gapNs)));
  }
  return sum;
}

/** The instants of one row of portions: kept for the next row of whichever link, because fresh memory makes garbage. */
let keptRow = new Float64Array(0);

function rowOf(count: number): Float64Array {
  if (keptRow.length < count) keptRow = new Float64Array(count);
  return keptRow.subarray(0, count);
}

/** A link in virtual time: the bucket alone decides when bytes may leave, and they arrive a latency later. */
export class VirtualLink {
  readonly #depthBytes: Bytes;
  readonly #windows: boolean;
  readonly #latencyNs: Nanos;
  /** What else the link allows, in the order of time. */
  ceilings: readonly Ceiling[] = [];
  /** How long a stopped guest waits for the end of an outage. */
  waitsUntilNs: Nanos = Number.POSITIVE_INFINITY;
  #askedBytesPerSecond: BytesPerSecond | null = null;
  #bucket: Bucket | undefined;
  #account: LinkAccount | undefined;

  /** @param latencyNs how long a byte is on its way, and as long an answer back */
  constructor(depthBytes: Bytes, windows: boolean, latencyNs: Nanos = 0) {
    this.#depthBytes = depthBytes;
    this.#windows = windows;
    this.#latencyNs = latencyNs;
  }

  /**
   * From now on this rate, and something to send.
   * @param rateBytesPerSecond null: bytes leave as soon as they are there
   */
  setRate(rateBytesPerSecond: BytesPerSecond | null, now: Nanos): void {
    this.#askedBytesPerSecond = rateBytesPerSecond;
    this.#follow(now);
    this.#account!.begins(now);
  }

  /**
   * When `count` portions of `bytes`, all ready at `now`, leave one after the other: as many as leave before the link
   * allows nothing more, and by `endNs`. `untilNs`: the last of them, or when that turned out, or `endNs`. The instants are
   * there until something else is sent.
   */
  send(
    now: Nanos,
    bytes: Bytes,
    count: number,
    endNs = Number.POSITIVE_INFINITY,
  ): { instants: Float64Array; untilNs: Nanos } {
    const instants = rowOf(Math.min(count, this.#mostBy(endNs, now, bytes)));
    for (let done = 0; done < count; ) {
      now = this.#passesNs(now, endNs);
      if (now >= endNs || this.isClosed(now)) {
        return { instants: instants.subarray(0, done), untilNs: now };
      }
      this.#follow(now);
      const row = instants.subarray(done);
      const changesAtNs = Math.min(nextChangeNs(this.ceilings, now), endNs);
      let next = reserveRow(this.#bucket!, now, bytes, row);
      const early =
        row.at(-1)! < changesAtNs
          ? row
          : row.subarray(
              0,
              row.findIndex((at) => at >= changesAtNs),
            );
      if (early.length < row.length) next = reserveRow(this.#bucket!, now, bytes, early);
      this.#account!.departedRow(early, bytes, this.#bucket!.rateBytesPerSecond);
      if (early.length > 0) this.#bucket = next;
      done += early.length;
      now = changesAtNs;
    }
    return { instants, untilNs: instants.at(-1)! };
  }

  /**
   * What `send` does, for any number of portions, told in runs.
   * @throws TypeError the link has no rate, and there is no pace at which they leave
   */
  sendRuns(now: Nanos, bytes: Bytes, count: number, endNs = Number.POSITIVE_INFINITY): SentRuns {
    const runs: DepartureRun[] = [];
    let left = count;
    while (left > 0) {
      now = this.#passesNs(now, endNs);
      if (now >= endNs || this.isClosed(now)) {
        return { runs, sent: count - left, untilNs: now };
      }
      this.#follow(now);
      if (!this.#bucket) throw new TypeError('a rate expected, found none');
      const changesAtNs = Math.min(nextChangeNs(this.ceilings, now), endNs);
      let some = left;
      let row = reserveRun(this.#bucket, now, bytes, some);
      while (some > 0 && row.runs.at(-1)!.lastNs >= changesAtNs) {
        some = Math.min(some - 1, countBefore(row.runs, changesAtNs));
        row = reserveRun(this.#bucket, now, bytes, some);
      }
      for (const run of row.runs) this.#account!.departedRun(run, bytes, this.#bucket.rateBytesPerSecond);
      this.#bucket = row.next;
      runs.push(...row.runs);
      left -= some;
      now = changesAtNs;
    }
    return { runs, sent: count, untilNs: runs.at(-1)?.lastNs ?? now };
  }

  /** One portion more than can leave by then: what is in a full bucket, and what comes into it at the rate asked for. */
  #mostBy(endNs: Nanos, now: Nanos, bytes: Bytes): number {
    const rate = this.#askedBytesPerSecond ?? Number.POSITIVE_INFINITY;
    const tokens = this.#depthBytes + (rate * Math.max(0, endNs - now)) / NANOS_PER_SECOND;
    return Math.floor(tokens / bytes) + 2;
  }

  /** When `bytes` may leave, at `now` or later; or when it turns out that they may not. */
  readyNs(now: Nanos, bytes: Bytes): Nanos {
    for (;;) {
      now = this.#passesNs(now);
      if (this.isClosed(now)) return now;
      this.#follow(now);
      const at = this.#bucket ? reserve(this.#bucket, now, bytes).at : now;
      const changesAtNs = nextChangeNs(this.ceilings, now);
      if (at < changesAtNs) return at;
      now = changesAtNs;
    }
  }

  /** The same, but `endNs` at the latest; of an outage whose end is not known nothing is computed, and it is `now`. */
  readyBy(now: Nanos, bytes: Bytes, endNs: Nanos): Nanos {
    const at = Math.min(endNs, this.readyNs(now, bytes));
    return at === Number.POSITIVE_INFINITY ? now : at;
  }

  /**
   * When all of so many bytes have left that are there at `now`, in portions of what the bucket holds; or when it turns out
   * that no more may.
   */
  sendAll(now: Nanos, bytes: Bytes): Nanos {
    let at = now;
    for (let left = bytes; left > 0; left -= Math.min(left, this.#depthBytes)) {
      const portion = Math.min(left, this.#depthBytes);
      at = this.readyNs(at, portion);
      if (this.isClosed(at)) return at;
      this.departs(at, portion);
    }
    return this.passedNs(at);
  }

  /** They leave now, and may. @param freeNs until then what had left before stood in their way */
  departs(now: Nanos, bytes: Bytes, freeNs: Nanos = 0): void {
    this.#follow(now);
    this.#account!.departed(now, bytes, this.#bucket, freeNs);
    if (this.#bucket) this.#bucket = reserve(this.#bucket, now, bytes).next;
  }

  /** How much of what has left by `now` is not through yet. */
  underWayBytes(_now: Nanos): Bytes {
    return 0;
  }

  /** When all that has left by `now` is through, but for the latency. */
  passedNs(now: Nanos): Nanos {
    return now;
  }

  /** Whether nothing passes at `now`: it was taken back, or there is an outage for which the migration does not wait longer. */
  isClosed(now: Nanos): boolean {
    return this.revokedWhy(now) !== undefined || isOutage(this.ceilings, now);
  }

  /** Nothing passes at `now`: it was taken back, the guest may not stand longer, or nobody knows when an outage ends. */
  closed(now: Nanos, plan: Plan, isStopped: boolean): StepResultOf<'failed'> {
    const failed = { kind: 'failed', outcome: 'aborted' } as const;
    const revoked = this.revokedWhy(now);
    if (revoked !== undefined) return { ...failed, now, why: revoked };
    if (isStopped) return { ...failed, now, why: pausedTooLong(plan) };
    return { ...failed, now: Number.POSITIVE_INFINITY, why: 'the link carries nothing any more' };
  }

  /** When something passes again, at `now` or later; or how long the migration waits for that. */
  #passesNs(now: Nanos, endNs = Number.POSITIVE_INFINITY): Nanos {
    return Math.max(now, Math.min(outageEndNs(this.ceilings, now), this.waitsUntilNs, endNs));
  }

  /** Why the link allows nothing more at `now`, if it does not. */
  revokedWhy(now: Nanos): string | undefined {
    return revokedWhy(this.ceilings, now);
  }

  /** The rate is the one asked for, or what the link still allows. */
  #follow(now: Nanos): void {
    const rateBytesPerSecond = allowedRate(this.#askedBytesPerSecond, this.ceilings, now);
    const before = this.#bucket?.rateBytesPerSecond ?? null;
    if (this.#account && rateBytesPerSecond === before) return;
    if (rateBytesPerSecond === null) this.#bucket = undefined;
    else if (this.#bucket) this.#bucket = changeRate(this.#bucket, rateBytesPerSecond, now);
    else this.#bucket = fullBucket(rateBytesPerSecond, this.#depthBytes, now);
    this.#account ??= new LinkAccount(this.#depthBytes, now, this.#windows);
    this.#account.rateChanges(now, before ?? 0, rateBytesPerSecond);
  }

  get record(): LinkRecord {
    const record = this.#account?.record(0) ?? idleLink(this.#depthBytes);
    return this.#latencyNs > 0 ? { ...record, roundTripNs: 2 * this.#latencyNs } : record;
  }
}
