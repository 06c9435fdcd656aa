import type { Bytes, Nanos } from '../units.ts';
import type { DepartureRun } from './bucket.ts';

interface Run extends DepartureRun {
  readonly bytes: Bytes;
}

/** More runs than this, and what no later window can reach is settled and forgotten. */
const MOST_KEPT = 2_048;

/**
 * The most bytes that left in any window of a given length, of departures in runs: bytes at both of its ends count. Within a run
 * bytes leave at one pace, so a best window begins with a run or ends with one.
 */
export class RunWindows {
  readonly #lengthsNs: readonly Nanos[];
  readonly #most: Bytes[];
  #runs: Run[] = [];

  constructor(lengthsNs: readonly Nanos[]) {
    this.#lengthsNs = lengthsNs;
    this.#most = lengthsNs.map(() => 0);
  }

  /** Portions left, in the order of time. */
  departed(run: DepartureRun, bytes: Bytes): void {
    const last = this.#runs.at(-1);
    if (last && continues(last, run, bytes)) {
      const { count, firstNs, gapNs } = last;
      this.#runs[this.#runs.length - 1] = {
        ...{ count: count + run.count, firstNs, lastNs: run.lastNs },
        ...{ gapNs, bytes },
      };
      return;
    }
    this.#runs.push({ ...run, bytes });
    if (this.#runs.length > MOST_KEPT) this.#settle();
  }

  /** For each length, in their order. */
  get mostBytes(): readonly Bytes[] {
    for (const [index, lengthNs] of this.#lengthsNs.entries()) this.#look(index, lengthNs);
    return this.#most;
  }

  #look(index: number, lengthNs: Nanos): void {
    for (const [place, { firstNs, lastNs }] of this.#runs.entries()) {
      const inWindow = Math.max(
        this.#bytesWithin(firstNs, firstNs + lengthNs, place),
        this.#bytesWithin(lastNs - lengthNs, lastNs, place),
      );
      if (inWindow > this.#most[index]!) this.#most[index] = inWindow;
    }
  }

  /** What left in a window that the run at `place` begins or ends. */
  #bytesWithin(fromNs: Nanos, toNs: Nanos, place: number): Bytes {
    let sum = 0;
    let first = place;
    while (first > 0 && this.#runs[first - 1]!.lastNs >= fromNs) first -= 1;
    for (let at = first; at < this.#runs.length && this.#runs[at]!.firstNs <= toNs; at++) {
      sum += bytesOf(this.#runs[at]!, fromNs, toNs);
    }
    return sum;
  }

  #settle(): void {
    const { mostBytes } = this;
    const earliestNs = this.#runs.at(-1)!.lastNs - Math.max(...this.#lengthsNs);
    this.#runs = this.#runs.filter(({ lastNs }) => lastNs >= earliestNs);
    // Still too many to look at again and again: the oldest have had their windows.
    if (this.#runs.length > MOST_KEPT / 2) this.#runs = this.#runs.slice(-MOST_KEPT / 2);
    for (const [index, bytes] of mostBytes.entries()) this.#most[index] = bytes;
  }
}

/** Whether a run goes on as the one before it did, to a nanosecond. */
function continues(before: Run, run: DepartureRun, bytes: Bytes): boolean {
  const { lastNs, gapNs } = before;
  return before.bytes === bytes && gapNs === run.gapNs && Math.abs(run.firstNs - lastNs - gapNs) <= 1;
}

/** Instants are real numbers here, so that a window of a reservation's own length holds no portion too many. */
function bytesOf({ count, firstNs, gapNs, bytes }: Run, fromNs: Nanos, toNs: Nanos): Bytes {
  if (gapNs === 0) return firstNs >= fromNs && firstNs <= toNs ? count * bytes : 0;
  const before = Math.max(0, Math.ceil((fromNs - firstNs) / gapNs));
  const until = Math.min(count, Math.floor((toNs - firstNs) / gapNs) + 1);
  return Math.max(0, until - before) * bytes;
}
