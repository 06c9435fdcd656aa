import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import type { DirtyPages } from './memory.ts';
import { insistOnProbability } from './poisson-binomial.ts';

/**
 * How long the guest stands, given the bytes of the pages that are left and b_d. It does not fall as the bytes rise,
 * nor rise with b_d.
 */
export type StopTime = (bytes: Bytes, stopRateBytesPerSecond: BytesPerSecond) => Nanos;

/** t_d = n·(P + H)/b_d, all that there is in the paper's model (Checconi, Cucinotta and Stein, §3). */
export const memoryTime: StopTime = (bytes, stopRateBytesPerSecond) =>
  (bytes * NANOS_PER_SECOND) / stopRateBytesPerSecond;

/** The downtime as a function of b_d: forward, and by the same function backward. */
export class Downtime {
  readonly #left: DirtyPages;
  readonly #bytesOf: (pages: number) => Bytes;
  readonly #times: readonly StopTime[];
  #levels: readonly Level[] | undefined;

  /**
   * @param left the pages that are left
   * @param bytesOf what they are on the link
   * @param times how long the stop takes; where it depends on chance besides the pages, all that are equally likely
   */
  constructor(left: DirtyPages, bytesOf: (pages: number) => Bytes, times: readonly StopTime[]) {
    this.#left = left;
    this.#bytesOf = bytesOf;
    this.#times = times;
  }

  /** With the expected number of pages. */
  expectedNs(stopRateBytesPerSecond: BytesPerSecond): Nanos {
    const bytes = this.#bytesOf(this.#left.mean);
    const sum = this.#times.reduce((total, time) => total + time(bytes, stopRateBytesPerSecond), 0);
    return Math.round(sum / this.#times.length);
  }

  /** What is not exceeded with probability q. RangeError unless 0 ≤ q ≤ 1. */
  quantileNs(q: number, stopRateBytesPerSecond: BytesPerSecond): Nanos {
    insistOnProbability(q);
    const [only, ...others] = this.#times;
    if (others.length === 0) {
      return Math.round(only!(this.#bytesOf(this.#left.quantile(q)), stopRateBytesPerSecond));
    }
    this.#levels ??= levelsOf((level) => this.#bytesOf(this.#left.quantile(level)));
    const cases = this.#times.flatMap((time) =>
      this.#levels!.map(({ bytes, mass }) => ({
        ns: time(bytes, stopRateBytesPerSecond),
        mass: mass / this.#times.length,
      })),
    );
    cases.sort((one, other) => one.ns - other.ns);
    let cumulative = 0;
    const found = cases.find(({ mass }) => (cumulative += mass) >= q);
    return Math.round((found ?? cases.at(-1)!).ns);
  }

  /**
   * The least whole b_d for which Pr[t_d ≤ limit] ≥ q: found on `quantileNs` itself, so that the two always agree.
   * `undefined`: no b_d does. RangeError unless 0 ≤ q ≤ 1.
   */
  leastStopRate(limitNs: Nanos, q: number): BytesPerSecond | undefined {
    return leastRate((rate) => this.quantileNs(q, rate) <= limitNs);
  }
}

/** One interval of the probability of a number of pages; the number is that of its upper end. */
interface Level {
  readonly bytes: Bytes;
  readonly mass: number;
}

/** Even intervals, and above them ever smaller ones, since it is high quantiles that are asked for. */
const UPPER_ENDS = [
  ...Array.from({ length: 63 }, (_, index) => (index + 1) / 64),
  ...Array.from({ length: 24 }, (_, index) => 1 - 2 ** -(index + 7)),
  1,
];

function levelsOf(bytesAt: (q: number) => Bytes): readonly Level[] {
  return UPPER_ENDS.map((end, index) => ({
    bytes: bytesAt(end),
    mass: end - (UPPER_ENDS[index - 1] ?? 0),
  }));
}

/** Above this the whole numbers of a double are further apart than one. */
const MOST_BYTES_PER_SECOND = Number.MAX_SAFE_INTEGER;

/** The least whole rate that is enough, by bisection, given that whatever is above an enough is enough. */
export function leastRate(isEnough: (rate: BytesPerSecond) => boolean): BytesPerSecond | undefined {
  if (!isEnough(MOST_BYTES_PER_SECOND)) return undefined;
  let [tooLow, enough] = [0, MOST_BYTES_PER_SECOND];
  while (enough - tooLow > 1) {
    const middle = tooLow + Math.floor((enough - tooLow) / 2);
    if (isEnough(middle)) enough = middle;
    else tooLow = middle;
  }
  return enough;
}
