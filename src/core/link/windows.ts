import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../units.ts';

/** More departures than this within the longest window are taken together in pairs. */
const MOST_KEPT = 65_536;
const FIRST_ROOM = 2_048;

/**
 * The most bytes that left in any window of a given length, wherever it begins: bytes at both of its ends count. One
 * pass, O(1) amortised for each departure and window.
 *
 * A window is only of interest if it holds more than the best so far. So for each length one start is kept: no start
 * before it can ever be that of a better window, because everything better that begins there is too long already.
 *
 * Only departures within the longest window are kept. When these are too many, every two neighbours are taken for one
 * that has no time between its ends: for as long as such pairs are looked at, the answer may be too large, never too
 * small.
 */
export class DepartureWindows {
  readonly #lengthsNs: readonly Nanos[];
  readonly #longestNs: Nanos;
  readonly #mostKept: number;
  readonly #most: Bytes[];
  /** For each length: the departure at which the next better window can begin at the earliest. */
  readonly #starts: number[];
  /** All bytes so far are a multiple of this. */
  #unitBytes = 0;
  #count = 0;
  /** Of what is taken for one departure, the first instant and the last: one and the same until there are pairs. */
  #firstNs = new Float64Array(FIRST_ROOM);
  #lastNs = this.#firstNs;
  /** Bytes that left before each departure, and after the last. */
  #before = new Float64Array(FIRST_ROOM + 1);

  constructor(lengthsNs: readonly Nanos[], mostKept = MOST_KEPT) {
    this.#lengthsNs = lengthsNs;
    this.#longestNs = Math.max(...lengthsNs);
    this.#mostKept = mostKept;
    this.#most = lengthsNs.map(() => 0);
    this.#starts = lengthsNs.map(() => 0);
  }

  /** For each length, in their order. */
  get mostBytes(): readonly Bytes[] {
    return this.#most;
  }

  /**
   * Equal portions left, one at each of these instants, in the order of time.
   * @param riseBytes no interval t holds more than rise + rate·t bytes, as far as is known: a length whose best could only be
   *   beaten by more than that is not looked at
   */
  departedRow(
    instants: Float64Array,
    bytes: Bytes,
    riseBytes: Bytes = Number.POSITIVE_INFINITY,
    rateBytesPerSecond: BytesPerSecond = 0,
  ): void {
    this.#unitBytes = greatestDivisor(bytes, this.#unitBytes);
    for (let from = 0; from < instants.length; ) {
      // Any better window holds at least a unit more than the best. A byte is for the arithmetic's own error.
      const unbeatable = this.#lengthsNs.map(
        (lengthNs) => riseBytes + (rateBytesPerSecond * lengthNs) / NANOS_PER_SECOND + 1 - this.#unitBytes,
      );
      if (this.#most.every((most, index) => most > unbeatable[index]!)) from = this.#skip(instants, from);
      if (this.#count === this.#firstNs.length) this.#makeRoom();
      const first = this.#count;
      const taken = Math.min(instants.length - from, this.#firstNs.length - first);
      this.#append(instants.subarray(from, from + taken), bytes);
      for (let index = 0; index < unbeatable.length; index++) this.#look(index, first, unbeatable[index]!);
      from += taken;
    }
  }

  /** The same of portions that leave equally far apart. Where nothing left shortly before them, windows need not be looked for. */
  departedEvenly(
    instants: Float64Array,
    bytes: Bytes,
    riseBytes: Bytes = Number.POSITIVE_INFINITY,
    rateBytesPerSecond: BytesPerSecond = 0,
  ): void {
    const gapNs = instants[1]! - instants[0]!;
    const within = (ns: Nanos) => Math.min(instants.length, Math.floor(ns / gapNs) + 1);
    const kept = within(this.#longestNs);
    if (this.#count > 0 || kept > this.#firstNs.length || !(gapNs > 0)) {
      this.departedRow(instants, bytes, riseBytes, rateBytesPerSecond);
      return;
    }
    this.#unitBytes = greatestDivisor(bytes, this.#unitBytes);
    this.#append(instants.subarray(instants.length - kept), bytes);
    for (let index = 0; index < this.#most.length; index++) {
      this.#most[index] = Math.max(this.#most[index]!, within(this.#lengthsNs[index]!) * bytes);
      // A window with the next one that is better than the best has more of these than the best has.
      this.#starts[index] = Math.max(0, kept - Math.floor(this.#most[index]! / bytes));
    }
  }

  /** Where what can be in a later window begins: if that is within the row, all departures before it are forgotten. */
  #skip(instants: Float64Array, from: number): number {
    const earliestNs = instants.at(-1)! - this.#longestNs;
    if (instants[from]! >= earliestNs) return from;
    let [late, early] = [instants.length - 1, from];
    while (late - early > 1) {
      const middle = (late + early) >> 1;
      if (instants[middle]! >= earliestNs) late = middle;
      else early = middle;
    }
    this.#count = 0;
    this.#starts.fill(0);
    return late;
  }

  #append(instants: Float64Array, bytes: Bytes): void {
    this.#firstNs.set(instants, this.#count);
    if (this.#lastNs !== this.#firstNs) this.#lastNs.set(instants, this.#count);
    const before = this.#before;
    const end = this.#count + instants.length;
    let sum = before[this.#count]!;
    for (let index = this.#count + 1; index <= end; index++) before[index] = sum += bytes;
    this.#count = end;
  }

  /** Has a window of this length that ends at one of the departures from `first` on more than the best? */
  #look(index: number, first: number, unbeatable: Bytes): void {
    let most = this.#most[index]!;
    if (most > unbeatable) return;
    const firstNs = this.#firstNs;
    const lastNs = this.#lastNs;
    const before = this.#before;
    const lengthNs = this.#lengthsNs[index]!;
    let start = this.#starts[index]!;
    for (let last = first; last < this.#count && most <= unbeatable; last++) {
      const until = before[last + 1]!;
      for (; until - before[start]! > most; start++) {
        if (firstNs[last]! - lastNs[start]! > lengthNs) continue;
        most = until - before[start]!;
        break;
      }
    }
    this.#starts[index] = start;
    this.#most[index] = most;
  }

  #makeRoom(): void {
    const nowNs = this.#lastNs[this.#count - 1]!;
    let gone = 0;
    while (nowNs - this.#lastNs[gone]! > this.#longestNs) gone++;
    this.#forget(gone);
    if (this.#count <= 0.75 * this.#firstNs.length) return;
    if (this.#firstNs.length < this.#mostKept) this.#grow();
    else this.#pair();
  }

  /** Forgets the first departures. */
  #forget(gone: number): void {
    this.#firstNs.copyWithin(0, gone, this.#count);
    if (this.#lastNs !== this.#firstNs) this.#lastNs.copyWithin(0, gone, this.#count);
    this.#before.copyWithin(0, gone, this.#count + 1);
    this.#count -= gone;
    for (const [index, start] of this.#starts.entries()) this.#starts[index] = Math.max(0, start - gone);
  }

  #grow(): void {
    const twice = (values: Float64Array, length: number) => {
      const longer = new Float64Array(length);
      longer.set(values);
      return longer;
    };
    const length = 2 * this.#firstNs.length;
    // There are no pairs before it has grown as far as it may.
    this.#firstNs = twice(this.#firstNs, length);
    this.#lastNs = this.#firstNs;
    this.#before = twice(this.#before, length + 1);
  }

  /** Takes every two departures for one. */
  #pair(): void {
    const pairs = Math.ceil(this.#count / 2);
    if (this.#lastNs === this.#firstNs) this.#lastNs = this.#firstNs.slice();
    for (let pair = 0; pair < pairs; pair++) {
      this.#firstNs[pair] = this.#firstNs[2 * pair]!;
      this.#lastNs[pair] = this.#lastNs[Math.min(2 * pair + 1, this.#count - 1)]!;
      this.#before[pair] = this.#before[2 * pair]!;
    }
    this.#before[pairs] = this.#before[this.#count]!;
    this.#count = pairs;
    for (const [index, start] of this.#starts.entries()) this.#starts[index] = start >> 1;
  }
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b);
}
