import { NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import type { ExpectedOrder } from './expected-order.ts';
import {
  allDirty,
  expectedSlots,
  type MeanField,
  type MeanFieldRound,
  meanFieldRound,
} from './mean-field.ts';
import {
  type DirtyPages,
  durationOf,
  type Load,
  type ModelledMemory,
  type PredictedRound,
  zeroSlotsOf,
} from './memory.ts';
import { pendingWithin } from './pending-within.ts';
import { PoissonBinomial } from './poisson-binomial.ts';
import type { Portions } from './portions.ts';

/** A guest of independent pages, each written at its own rate, and the policy by which they are sent. */
export interface RatesGuest {
  readonly kind: 'rates';
  readonly portions: Portions;
  readonly order: ExpectedOrder;
  readonly clear: 'page' | 'round';
}

/** Keeps a whole number of pages, computed in floating point, from being rounded up to the next one. */
const ROUNDING = 1e-6;

/** Follows the probability of every portion's pages to be dirty (`meanFieldRound`). */
export class RatesMemory implements ModelledMemory {
  readonly #guest: RatesGuest;
  readonly #load: Load;
  #rounds = 0;
  #state: MeanField;
  #next: MeanFieldRound | undefined;

  constructor(guest: RatesGuest, load: Load) {
    const { pages, zero } = guest.portions;
    insistOnSum('pages', sum(pages), load.pages);
    insistOnSum(
      'pages of zeros',
      sum(pages, (portion) => zero[portion] === 1),
      load.zeroPages,
    );
    this.#guest = guest;
    this.#load = load;
    this.#state = allDirty(guest.portions);
  }

  predict(): PredictedRound {
    const { pageSizeBytes, overheadBytes } = this.#load;
    const { deferred, zero } = this.#guest.portions;
    const expected = this.#expectedDirty();
    const dirtyPages = sum(expected);
    const deferredPages = sum(expected, (portion) => deferred[portion] === 1);
    const sentPages = dirtyPages - deferredPages;
    const zeroPages =
      this.#rounds === 0 ? sum(expected, (portion) => zero[portion]! > deferred[portion]!) : 0;
    return {
      ...{ dirtyPages, sentPages, deferredPages, zeroPages },
      bytes: sentPages * (pageSizeBytes + overheadBytes) - zeroPages * pageSizeBytes,
      durationNs: durationOf(this.#load, sentPages, zeroPages),
    };
  }

  pendingWithin(steps: number): Float64Array {
    return pendingWithin(this.#state.dirty, this.#ordered(), steps);
  }

  /** A stretch is sent evenly, its pages of zeros among the others. */
  zeroPagesLeft(share: number): number {
    const { pages, zero, deferred, starts } = this.#guest.portions;
    const terms = this.#terms();
    const { dirty } = this.#state;
    const passedSlots = share * expectedSlots(dirty, terms);
    let [left, position] = [0, 0];
    for (const stretch of this.#ordered().order) {
      const [start, end] = [starts[stretch]!, starts[stretch + 1]!];
      const slots = expectedSlots(dirty, terms, start, end);
      const unsent = slots > 0 ? Math.min(1, Math.max(0, (position + slots - passedSlots) / slots)) : 1;
      for (let portion = start; portion < end; portion++) {
        if (zero[portion] === 1)
          left += pages[portion]! * dirty[portion]! * (deferred[portion] === 1 ? 1 : unsent);
      }
      position += slots;
    }
    return left;
  }

  nothingToSend(): number {
    const { pages, deferred } = this.#guest.portions;
    const { dirty } = this.#state;
    return Math.exp(
      sum(dirty.map((d, portion) => (deferred[portion] === 1 ? 0 : pages[portion]! * Math.log1p(-d)))),
    );
  }

  send(): void {
    this.#state = meanFieldRound(this.#state, this.#ordered());
    this.#rounds += 1;
    this.#next = undefined;
  }

  /** d' = 1 − (1 − d)·exp(−rate·t) */
  wait(ns: Nanos): void {
    const { writesPerSecond } = this.#guest.portions;
    const { dirty, carriedVariance } = this.#state;
    const dirtyAfter = (d: number, portion: number) =>
      1 - (1 - d) * Math.exp((-writesPerSecond[portion]! * ns) / NANOS_PER_SECOND);
    this.#state = { dirty: dirty.map(dirtyAfter), carriedVariance };
    this.#next = undefined;
  }

  /**
   * The Poisson-binomial distribution of independent pages, stretched about its mean to the deviation that the
   * number has after rounds of random length.
   */
  dirtyPages(): DirtyPages {
    const { dirty, carriedVariance } = this.#state;
    const independent = new PoissonBinomial(dirty, this.#guest.portions.pages);
    const { mean, variance } = independent;
    const stretch = variance > 0 ? Math.sqrt(Math.max(0, 1 + carriedVariance / variance)) : 1;
    return {
      mean,
      deviation: stretch * Math.sqrt(variance),
      quantile: (q) => {
        const pages = mean + stretch * (independent.quantile(q) - mean);
        return Math.min(independent.most, Math.max(independent.least, Math.ceil(pages - ROUNDING)));
      },
    };
  }

  swayingPages(): DirtyPages {
    return this.dirtyPages();
  }

  /** The next round with its order, which is computed only when it is needed: not after the last round. */
  #ordered(): MeanFieldRound {
    const { order, clear } = this.#guest;
    const { pageSizeBytes, overheadBytes, rateBytesPerSecond, readAfterSlots = 0 } = this.#load;
    this.#next ??= {
      ...this.#terms(),
      slotSeconds: (pageSizeBytes + overheadBytes) / rateBytesPerSecond,
      order: order(this.#toSend(), this.#rounds + 1),
      clear,
      readAfterSlots,
    };
    return this.#next;
  }

  /** What the next round sends at which cost. What is dirty again has been written, and holds more than zeros. */
  #terms(): Pick<MeanFieldRound, 'portions' | 'zeroSlots'> {
    const zeroSlots = this.#rounds === 0 ? zeroSlotsOf(this.#load) : 1;
    return { portions: this.#guest.portions, zeroSlots };
  }

  /** Σ Pr[p ∈ D_k] of each portion. */
  #expectedDirty(): Float64Array {
    const { pages } = this.#guest.portions;
    return this.#state.dirty.map((d, portion) => d * pages[portion]!);
  }

  /** Σ Pr[p ∈ D_k ∖ F_k] of each portion. */
  #toSend(): Float64Array {
    const { deferred } = this.#guest.portions;
    return this.#expectedDirty().map((pages, portion) => (deferred[portion] === 1 ? 0 : pages));
  }
}

function sum(values: Float64Array, counts?: (index: number) => boolean): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) if (counts?.(i) ?? true) total += values[i]!;
  return total;
}

function insistOnSum(what: string, found: number, expected: number): void {
  if (Math.abs(found - expected) <= 1e-9 * expected) return;
  throw new RangeError(`the portions have ${found} of ${expected} ${what}`);
}
