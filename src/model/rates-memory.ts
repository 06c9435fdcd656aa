import type { PageSet } from '../core/migration/pages.ts';
import { NANOS_PER_SECOND } from '../core/units.ts';
import type { ExpectedOrder } from './expected-order.ts';
import {
  allDirty,
  expectedSlots,
  type MeanField,
  type MeanFieldRound,
  meanFieldRound,
} from './mean-field.ts';
import type { DirtyPages, Load, ModelledMemory, PredictedRound } from './memory.ts';
import { pendingWithin } from './pending-within.ts';
import { PoissonBinomial } from './poisson-binomial.ts';

/** A guest of independent pages, each written at its own rate, and the policy by which they are sent. */
export interface RatesGuest {
  readonly kind: 'rates';
  /** Of every page. */
  readonly writesPerSecond: Float64Array;
  readonly order: ExpectedOrder;
  /** F: held back for the stop whenever they are dirty. */
  readonly deferred: PageSet | null;
  readonly clear: 'page' | 'round';
}

/** Keeps a whole number of pages, computed in floating point, from being rounded up to the next one. */
const ROUNDING = 1e-6;

/** Follows the probability of every page to be dirty (`meanFieldRound`). */
export class RatesMemory implements ModelledMemory {
  readonly #guest: RatesGuest;
  readonly #load: Load;
  #rounds = 0;
  #state: MeanField;
  #next: MeanFieldRound | undefined;

  constructor(guest: RatesGuest, load: Load) {
    if (guest.writesPerSecond.length !== load.pages) {
      throw new RangeError(`${guest.writesPerSecond.length} write rates for ${load.pages} pages`);
    }
    this.#guest = guest;
    this.#load = load;
    this.#state = allDirty(load.pages);
  }

  predict(): PredictedRound {
    const { pages, zeroPages, pageSizeBytes, overheadBytes, rateBytesPerSecond } = this.#load;
    const toSend = this.#toSend();
    const [dirtyPages, sentPages] = [sum(this.#state.dirty), sum(toSend)];
    const bytes = expectedSlots(this.#state.dirty, this.#terms()) * (pageSizeBytes + overheadBytes);
    return {
      dirtyPages,
      sentPages,
      deferredPages: dirtyPages - sentPages,
      zeroPages: this.#rounds === 0 ? sum(toSend.subarray(pages - zeroPages)) : 0,
      bytes,
      durationNs: (bytes * NANOS_PER_SECOND) / rateBytesPerSecond,
    };
  }

  pendingWithin(steps: number): Float64Array {
    return pendingWithin(this.#state.dirty, this.#ordered(), steps);
  }

  send(): void {
    this.#state = meanFieldRound(this.#state, this.#ordered());
    this.#rounds += 1;
    this.#next = undefined;
  }

  /**
   * The Poisson-binomial distribution of independent pages, stretched about its mean to the deviation that the
   * number has after rounds of random length.
   */
  dirtyPages(): DirtyPages {
    const { dirty, carriedVariance } = this.#state;
    const independent = new PoissonBinomial(dirty);
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

  /** The next round with its order, which is computed only when it is needed: not after the last round. */
  #ordered(): MeanFieldRound {
    const { writesPerSecond, order, clear } = this.#guest;
    const { pageSizeBytes, overheadBytes, rateBytesPerSecond } = this.#load;
    this.#next ??= {
      ...this.#terms(),
      writesPerSecond,
      slotSeconds: (pageSizeBytes + overheadBytes) / rateBytesPerSecond,
      order: order(this.#toSend(), this.#rounds + 1),
      clear,
    };
    return this.#next;
  }

  /** What the next round sends at which cost. What is dirty again has been written, and holds more than zeros. */
  #terms(): Pick<MeanFieldRound, 'deferred' | 'zeroFrom' | 'zeroSlots'> {
    const { pages, zeroPages, pageSizeBytes, overheadBytes } = this.#load;
    return {
      deferred: this.#guest.deferred,
      zeroFrom: this.#rounds === 0 ? pages - zeroPages : pages,
      zeroSlots: overheadBytes / (pageSizeBytes + overheadBytes),
    };
  }

  /** Pr[p ∈ D_k ∖ F_k]. */
  #toSend(): Float64Array {
    const { deferred } = this.#guest;
    if (deferred === null) return this.#state.dirty;
    const toSend = this.#state.dirty.slice();
    deferred.each((page) => {
      toSend[page] = 0;
    });
    return toSend;
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i]!;
  return total;
}
