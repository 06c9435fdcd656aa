import { InvariantViolated } from '../invariants.ts';
import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../units.ts';

/**
 * A token bucket: `rate` tokens (bytes) a second flow in, at most `depth` are kept, and what is sent takes
 * one token a byte. So in every interval of length t at most depth + rate·t bytes leave.
 *
 * Kept as the generic cell rate algorithm keeps it (ITU-T I.371, "virtual scheduling"): the one instant at
 * which the bucket would be full again. That instant is rarely a whole nanosecond; `fraction` carries the rest
 * in units of 1/rate ns, so nothing drifts however many small reservations are made.
 */
export interface Bucket {
  readonly rateBytesPerSecond: BytesPerSecond;
  readonly depthBytes: Bytes;
  readonly fullAtNs: Nanos;
  readonly fraction: number;
}

/** The deepest bucket there is: holds the largest page with any header. */
export const DEEPEST_BUCKET_BYTES = 2 ** 31;

/** Instants need not be whole where they are computed. */
const ROUNDING_NS = 1;

/** A bucket that is full at `now`. */
export function fullBucket(rateBytesPerSecond: BytesPerSecond, depthBytes: Bytes, now: Nanos): Bucket {
  return { rateBytesPerSecond, depthBytes, fullAtNs: now, fraction: 0 };
}

/**
 * Takes `bytes` tokens: they may leave at `at` (never before `now`), and `next` is the bucket afterwards.
 * Reservations must be made, and their bytes sent, in the order of time.
 *
 *   full' = max(full, now) + bytes / rate        at = max(now, ⌈full' − depth / rate⌉)
 *
 * @throws RangeError when `bytes` exceeds the depth: no wait would ever make it conform.
 */
export function reserve(bucket: Bucket, now: Nanos, bytes: Bytes): { at: Nanos; next: Bucket } {
  const { rateBytesPerSecond: rate, depthBytes: depth } = bucket;
  if (bytes > depth) {
    throw new RangeError(`a reservation of ${bytes} bytes does not fit a bucket ${depth} bytes deep`);
  }
  const [costNs, costFraction] = dividedByRate(bytes, rate);
  const [depthNs, depthFraction] = dividedByRate(depth, rate);
  const idle = bucket.fullAtNs < now;
  const units = costFraction + (idle ? 0 : bucket.fraction);
  const fullAtNs = (idle ? now : bucket.fullAtNs) + costNs + (units >= rate ? 1 : 0);
  const fraction = units >= rate ? units - rate : units;
  const at = Math.max(now, fullAtNs - depthNs + (fraction > depthFraction ? 1 : 0));
  // Full again before `at`, which was rounded up: what would have flowed in meanwhile has flowed over.
  const overflowed = at > bucket.fullAtNs;
  const next = {
    rateBytesPerSecond: rate,
    depthBytes: depth,
    fullAtNs: overflowed ? at + costNs : fullAtNs,
    fraction: overflowed ? costFraction : fraction,
  };
  insistOnTokens(next.fullAtNs - at, depthNs, next.fraction);
  return { at, next };
}

/**
 * As many reservations of `bytes` as `instants` is long, each made as soon as the one before it has left: writes
 * when each may leave into `instants`, and returns the bucket afterwards. The same as so many calls of `reserve`.
 */
export function reserveRow(bucket: Bucket, now: Nanos, bytes: Bytes, instants: Float64Array): Bucket {
  let next = bucket;
  let at = now;
  let index = 0;
  // Until the bucket is empty the first ones leave at once; from then on each leaves when it has paid for itself.
  for (; index < instants.length && (index === 0 || at === now); index++) {
    ({ at, next } = reserve(next, at, bytes));
    instants[index] = at;
  }
  const { rateBytesPerSecond: rate, depthBytes: depth } = bucket;
  const [costNs, costFraction] = dividedByRate(bytes, rate);
  const [depthNs, depthFraction] = dividedByRate(depth, rate);
  let { fullAtNs, fraction } = next;
  const roundedUpNs = fraction > depthFraction ? 1 : 0;
  if (costFraction === 0 && costNs + roundedUpNs <= depthNs && Number.isInteger(fullAtNs)) {
    const left = instants.subarray(index);
    leaveEvenly(left, fullAtNs + costNs - depthNs + roundedUpNs, costNs);
    index = instants.length;
    fullAtNs += left.length * costNs;
  }
  for (; index < instants.length; index++) {
    const wasFullAtNs = fullAtNs;
    fullAtNs += costNs;
    fraction += costFraction;
    if (fraction >= rate) {
      fraction -= rate;
      fullAtNs += 1;
    }
    const leavesAt = fullAtNs - depthNs + (fraction > depthFraction ? 1 : 0);
    instants[index] = leavesAt;
    if (leavesAt > wasFullAtNs) {
      fullAtNs = leavesAt + costNs;
      fraction = costFraction;
    }
  }
  insistOnTokens(fullAtNs - (instants.at(-1) ?? fullAtNs), depthNs, fraction);
  return { ...next, fullAtNs, fraction };
}

/** Portions that take whole nanoseconds, and of which none finds the bucket full, leave so far apart: no sum has to be carried on. */
function leaveEvenly(instants: Float64Array, firstNs: Nanos, gapNs: Nanos): void {
  for (let index = 0; index < instants.length; index++) instants[index] = firstNs + index * gapNs;
}

/** Equal portions that left one after the other, each `gapNs` after the one before it, rounded up to whole ns. */
export interface DepartureRun {
  readonly count: number;
  readonly firstNs: Nanos;
  readonly lastNs: Nanos;
  readonly gapNs: Nanos;
}

/**
 * What `reserveRow` does, for any number of portions at once: those for which the bucket has tokens leave at `now`, the
 * others at the rate's own pace.
 */
export function reserveRun(
  bucket: Bucket,
  now: Nanos,
  bytes: Bytes,
  count: number,
): { runs: readonly DepartureRun[]; next: Bucket } {
  // What costs nothing waits for nothing.
  if (bytes === 0) return { runs: [{ count, firstNs: now, lastNs: now, gapNs: 0 }], next: bucket };
  let next = bucket;
  let at = now;
  let atOnce = 0;
  let reserved = 0;
  for (; reserved < count && at === now; reserved++) {
    ({ at, next } = reserve(next, at, bytes));
    if (at === now) atOnce += 1;
  }
  const runs: DepartureRun[] = [];
  if (atOnce > 0) runs.push({ count: atOnce, firstNs: now, lastNs: now, gapNs: 0 });
  if (atOnce === count) return { runs, next };
  const firstNs = at;
  const { rateBytesPerSecond: rate, depthBytes: depth } = bucket;
  if (depth >= 2 * bytes) {
    next = paidFor(next, bytes, count - reserved);
    const [depthNs, depthFraction] = dividedByRate(depth, rate);
    if (reserved < count) at = next.fullAtNs - depthNs + (next.fraction > depthFraction ? 1 : 0);
  } else {
    // A bucket of less than two portions may flow over between two of them.
    for (; reserved < count; reserved++) ({ at, next } = reserve(next, at, bytes));
  }
  runs.push({ count: count - atOnce, firstNs, lastNs: at, gapNs: (bytes * NANOS_PER_SECOND) / rate });
  return { runs, next };
}

/** The bucket after `count` portions more, none of which found it full. */
function paidFor(bucket: Bucket, bytes: Bytes, count: number): Bucket {
  const { rateBytesPerSecond: rate } = bucket;
  const [costNs, costFraction] = dividedByRate(bytes, rate);
  let { fullAtNs, fraction } = bucket;
  // So many at a time that their fractions are added up without rounding.
  const most = Math.max(1, Math.floor(2 ** 52 / Math.max(1, costFraction)));
  for (let left = count; left > 0; left -= most) {
    const some = Math.min(left, most);
    const units = fraction + some * costFraction;
    fraction = units % rate;
    fullAtNs += some * costNs + Math.round((units - fraction) / rate);
  }
  return { ...bucket, fullAtNs, fraction };
}

/** bytes / rate in whole ns, and the rest in units of 1/rate ns. */
function dividedByRate(bytes: Bytes, rate: BytesPerSecond): readonly [Nanos, number] {
  return dividedProduct(bytes, NANOS_PER_SECOND, rate);
}

/** one · other / divisor in whole numbers, and the rest: exact where a double does not hold the product, too. */
function dividedProduct(one: number, other: number, divisor: number): readonly [number, number] {
  const product = one * other;
  if (product <= Number.MAX_SAFE_INTEGER || ![one, other, divisor].every(Number.isInteger)) {
    return [(product - (product % divisor)) / divisor, product % divisor];
  }
  const exact = BigInt(one) * BigInt(other);
  return [Number(exact / BigInt(divisor)), Number(exact % BigInt(divisor))];
}

/** The tokens in the bucket at `now`, in bytes, between zero and the depth (negative only while a reservation waits). */
export function level(bucket: Bucket, now: Nanos): number {
  // The difference first: beside an uptime of days a double holds no small fraction of a nanosecond.
  const missingNs = Math.max(0, bucket.fullAtNs - now + bucket.fraction / bucket.rateBytesPerSecond);
  return bucket.depthBytes - (missingNs * bucket.rateBytesPerSecond) / NANOS_PER_SECOND;
}

/** The same tokens under another rate: what b → b_d at the stop means. What is missing stays missing, exactly. */
export function changeRate(bucket: Bucket, rateBytesPerSecond: BytesPerSecond, now: Nanos): Bucket {
  const { rateBytesPerSecond: before, depthBytes, fullAtNs, fraction } = bucket;
  const isFull = (fullAtNs - now) * before + fraction <= 0;
  const [missingNs, rest] = isFull ? [0, 0] : dividedProduct(fullAtNs - now, before, rateBytesPerSecond);
  const units = rest + (isFull ? 0 : fraction);
  const unitsLeft = units % rateBytesPerSecond;
  return {
    rateBytesPerSecond,
    depthBytes,
    fullAtNs: now + missingNs + (units - unitsLeft) / rateBytesPerSecond,
    fraction: unitsLeft,
  };
}

/**
 * Bytes have taken their tokens but wait in a queue, and will leave at once when it moves: until then they take the place
 * of tokens, so that what leaves then, with them, is no more than the depth.
 */
export function withheld(bucket: Bucket, waitingBytes: Bytes, now: Nanos): Bucket {
  const [waitingNs, fraction] = dividedByRate(waitingBytes, bucket.rateBytesPerSecond);
  return now + waitingNs > bucket.fullAtNs ? { ...bucket, fullAtNs: now + waitingNs, fraction } : bucket;
}

/**
 * Bytes that leave find their tokens: a bucket that is full again `missingNs` later lacks no more than it holds, which
 * takes `depthNs` to flow in.
 */
function insistOnTokens(missingNs: Nanos, depthNs: Nanos, fraction: number): void {
  if (missingNs <= depthNs + ROUNDING_NS && fraction >= 0) return;
  throw new InvariantViolated('bucket: 0 ≤ tokens ≤ depth', { missingNs, depthNs, fraction });
}
