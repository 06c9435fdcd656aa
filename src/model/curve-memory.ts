import { NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import { alikePages, noneDirty } from './alike-pages.ts';
import type { DirtyCurve } from './curve.ts';
import {
  certainly,
  type DirtyPages,
  durationOf,
  type Load,
  type ModelledMemory,
  type PredictedRound,
} from './memory.ts';

/** A guest of which only the curve of dirty pages is known. It is not known which pages, so no order matters. */
export interface CurveGuest {
  readonly kind: 'curve';
  readonly dirtyPages: DirtyCurve;
  /** Whether chance decides which pages are written; not, where a program writes the same row of them again and again. */
  readonly isRandom: boolean;
}

/**
 * Follows the number of dirty pages: round 1 sends everything, every later one D(duration of the one before)
 * (A. Gudkov, qemu-devel, April 2023). As if all dirty bits were taken off when a round starts.
 */
export class CurveMemory implements ModelledMemory {
  readonly #curve: DirtyCurve;
  readonly #isRandom: boolean;
  readonly #load: Load;
  #first = true;
  /** Since the dirty bits were taken off. */
  #cleanForNs: Nanos = 0;
  #dirty: number;
  #carriedVariance = 0;

  constructor({ dirtyPages, isRandom }: CurveGuest, load: Load) {
    this.#curve = dirtyPages;
    this.#isRandom = isRandom;
    this.#load = load;
    this.#dirty = load.pages;
  }

  predict(): PredictedRound {
    const { pageSizeBytes, overheadBytes } = this.#load;
    const zeroPages = this.#first ? this.#load.zeroPages : 0;
    const bytes = this.#dirty * (pageSizeBytes + overheadBytes) - zeroPages * pageSizeBytes;
    return {
      dirtyPages: this.#dirty,
      sentPages: this.#dirty,
      deferredPages: 0,
      zeroPages,
      bytes,
      durationNs: durationOf(this.#load, this.#dirty, zeroPages),
    };
  }

  /** What is still to be sent, and what the curve says was dirtied meanwhile. */
  pendingWithin(steps: number): Float64Array {
    const { pages } = this.#load;
    const { durationNs } = this.predict();
    return Float64Array.from({ length: steps + 1 }, (_, step) => {
      const share = step / steps;
      return Math.min(pages, this.#dirty * (1 - share) + this.#dirtyAfter(share * durationNs));
    });
  }

  /** It is not known which they are: they are sent evenly among the others. */
  zeroPagesLeft(share: number): number {
    return this.#first ? this.#load.zeroPages * (1 - share) : 0;
  }

  nothingToSend(): number {
    return noneDirty(this.#dirty, this.#isRandom ? this.#load.pages : null);
  }

  send(): void {
    const { durationNs } = this.predict();
    const slotNs =
      ((this.#load.pageSizeBytes + this.#load.overheadBytes) * NANOS_PER_SECOND) /
      this.#load.rateBytesPerSecond;
    const gain = this.#dirtyAfter(durationNs + slotNs) - this.#dirtyAfter(durationNs);
    this.#carriedVariance = gain ** 2 * this.#variance();
    this.#cleanForNs = durationNs;
    this.#dirty = this.#dirtyAfter(durationNs);
    this.#first = false;
  }

  wait(ns: Nanos): void {
    this.#cleanForNs += ns;
    this.#dirty = this.#dirtyAfter(this.#cleanForNs);
  }

  /**
   * A curve gives the mean. The deviation is the largest that independent pages of that mean can have: that of
   * pages which are all equally likely to be dirty; and what the length of the round before adds to it.
   */
  dirtyPages(): DirtyPages {
    return alikePages(this.#dirty, this.#variance(), this.#load.pages);
  }

  swayingPages(): DirtyPages {
    return this.#isRandom ? this.dirtyPages() : certainly(this.#dirty);
  }

  #variance(): number {
    return this.#dirty * (1 - this.#dirty / this.#load.pages) + this.#carriedVariance;
  }

  #dirtyAfter(ns: Nanos): number {
    return Math.min(this.#load.pages, this.#curve(ns));
  }
}
