import { Random } from '../../random.ts';
import { sampleOfKinds } from '../../random-counts.ts';

/** Pages that are written alike and that a plan treats alike: any of them may be exchanged for any other. */
export interface LumpedStratum {
  readonly pages: number;
  /** Pages of zeros cost their header only, and nobody writes them. */
  readonly isZero: boolean;
  /** Whether they wait for the stop: whether they are of F. */
  readonly isHeldBack: boolean;
  /** What is of a lower place is sent first; what is of the same place, in random order. */
  readonly place: number;
  /** Whose they are of what the guest's program tells apart: page 0 is of none. */
  readonly writer: number | 'page 0' | 'nobody';
}

/**
 * A guest's memory in counts at one instant: of each stratum, how many pages the destination does not have as they are. A
 * Markov process whose states can be exchanged for one another is lumpable (Kemeny and Snell, Finite Markov Chains, §6.3): the
 * counts are a Markov process too, and the same as that of the pages.
 */
export class LumpedPages {
  readonly strata: readonly LumpedStratum[];
  /** Their dirty bits were taken by a harvest and are clear; they have not been sent since. */
  readonly owed: Float64Array;
  /** Owed, and written since. */
  readonly dirtyAgain: Float64Array;
  /** Written, and not owed. */
  readonly dirty: Float64Array;

  constructor(
    strata: readonly LumpedStratum[],
    owed: Float64Array,
    dirtyAgain: Float64Array,
    dirty: Float64Array,
  ) {
    this.strata = strata;
    this.owed = owed;
    this.dirtyAgain = dirtyAgain;
    this.dirty = dirty;
  }

  /** All that would have to be sent if the guest stopped at that instant. */
  count(): number {
    let sum = 0;
    for (let stratum = 0; stratum < this.strata.length; stratum++) sum += this.pendingOf(stratum);
    return sum;
  }

  pendingOf(stratum: number): number {
    return this.owed[stratum]! + this.dirtyAgain[stratum]! + this.dirty[stratum]!;
  }
}

/**
 * So many pages of some strata, place by place, in slices that the seed says: what of a batch leaves first is the same for
 * whoever asks.
 */
export class LumpedBatch {
  readonly shares: readonly LumpedShare[];
  /** The most pages of a slice, within which the order is that of chance, but for pages of zeros, which are last. */
  readonly slicePages: number;
  readonly seed: number;

  constructor(shares: readonly LumpedShare[], slicePages: number, seed: number) {
    this.shares = shares;
    this.slicePages = slicePages;
    this.seed = seed;
  }

  /** How many are sent. */
  get length(): number {
    return this.shares.reduce((sum, { sent }) => sum + sent, 0);
  }

  /** How many of each share are in each slice. */
  *slices(): Generator<readonly number[]> {
    const random = Random.seeded(this.seed);
    const left = this.shares.map(({ sent }) => sent);
    for (const place of new Set(this.shares.map((share) => share.place))) {
      for (;;) {
        const here = left.map((count, index) => (this.shares[index]!.place === place ? count : 0));
        const slice = sampleOfKinds(random, here, this.slicePages);
        if (slice.every((count) => count === 0)) break;
        for (const [index, count] of slice.entries()) left[index]! -= count;
        yield slice;
      }
    }
  }

  /** Of each share, how many are among the first so many pages of a slice. */
  firstOf(slice: readonly number[], pages: number): readonly number[] {
    const whole = slice.map((count, index) => (this.shares[index]!.isZero ? 0 : count));
    const taken = sampleOfKinds(Random.seeded(this.seed, 1), whole, pages);
    let left = pages - taken.reduce((sum, count) => sum + count, 0);
    return slice.map((count, index) => {
      if (!this.shares[index]!.isZero) return taken[index]!;
      const some = Math.min(left, count);
      left -= some;
      return some;
    });
  }

  /** Of each share, how many are among the first so many pages of the batch. */
  first(pages: number): readonly number[] {
    const sum = this.shares.map(() => 0);
    let left = pages;
    for (const slice of this.slices()) {
      const all = slice.reduce((total, count) => total + count, 0);
      const part = left < all ? this.firstOf(slice, left) : slice;
      for (const [index, count] of part.entries()) sum[index]! += count;
      left -= Math.min(left, all);
      if (left === 0) break;
    }
    return sum;
  }
}

/** What a batch has of one stratum. */
export interface LumpedShare {
  readonly stratum: number;
  readonly place: number;
  readonly isZero: boolean;
  readonly sent: number;
  /** Those whose turn it was and that are dirty again: they are not sent, and owed no longer. */
  readonly passedOver: number;
}
