import { Changes } from './carried-variance.ts';
import type { Portions } from './portions.ts';

/** A guest's memory at the start of a round, in expectation. */
export interface MeanField {
  /** d: the probability of each portion's pages to be dirty, held-back pages among them. */
  readonly dirty: Float64Array;
  /**
   * What the variance of the number of dirty pages is above Σd(1 − d), that of independent pages; negative where
   * the pages make up for each other. Rounds of random length make it: after a long one all pages are dirtier.
   */
  readonly carriedVariance: number;
}

/** What is decided and known before a round. */
export interface MeanFieldRound {
  readonly portions: Portions;
  /** T: what a page takes on the link. */
  readonly slotSeconds: number;
  /** All stretches, first sent first; pages that are not dirty are passed over. */
  readonly order: Uint32Array;
  /** Whether a dirty bit is cleared when its page is sent, or all of them when the round starts. */
  readonly clear: 'page' | 'round';
  /**
   * How many slots after its turn has come a page is read, and its dirty bit cleared where that is done page by page. 0 in the paper; 1
   * where a page waits for the tokens of all of it, so that the last one is read as the round ends.
   */
  readonly readAfterSlots: number;
  /** How many slots a page of zeros takes. */
  readonly zeroSlots: number;
}

/** Before round 1: every page is dirty, and nothing is random yet. */
export function allDirty({ pages }: Portions): MeanField {
  return { dirty: new Float64Array(pages.length).fill(1), carriedVariance: 0 };
}

/** m: how many slots the round is expected to take, or its portions from `from` to before `to`. */
export function expectedSlots(
  dirty: Float64Array,
  { portions, zeroSlots }: Pick<MeanFieldRound, 'portions' | 'zeroSlots'>,
  from = 0,
  to = dirty.length,
): number {
  let slots = 0;
  for (let portion = from; portion < to; portion++) {
    if (portions.deferred[portion] === 1) continue;
    const perPage = portions.zero[portion] === 1 ? zeroSlots : 1;
    slots += portions.pages[portion]! * dirty[portion]! * perPage;
  }
  return slots;
}

/**
 * The mean of q^e, q = exp(−rate), over `pages` pages of which the first has the exposure `longest` and each has
 * `slots`/`pages` less than the one before it: a geometric series.
 */
export function meanUntouched(rate: number, longest: number, pages: number, slots: number): number {
  const step = slots / pages;
  const shortest = Math.exp(-rate * Math.max(0, longest - slots + step));
  if (pages === 1 || rate * slots < Number.EPSILON) return shortest;
  return (shortest * Math.expm1(-rate * slots)) / (pages * Math.expm1(-rate * step));
}

/**
 * One round (after Checconi, Cucinotta and Stein, the number of pages sent before page p replaced by its
 * expectation pos): with m = Σd, π the probability of a write in one slot, and so (1 − π)^e = exp(−rate·T·e),
 *
 *   d' = d·(1 − (1 − π)^(m − pos)) + (1 − d)·(1 − (1 − π)^m)
 *
 * The pages of a portion are spread evenly over the slots of its stretch, and d' is their mean.
 *
 * Round 1 is exact. From then on the dirty set is random, and the mean stays within 1 % of the truth.
 *
 * The variance is followed to first order (this project's own). Whether page j is dirty changes the number dirty
 * after the round by own + others: its own bit is taken off in its slot, or not at all, and the pages sent before it
 * and the clean ones are exposed for a slot more. Σd'(1 − d') has own² in it already; to be added are
 *
 *   Σ d(1 − d)·((own + others)² − own²)  and  gain² · what was carried in,
 *
 * gain being what own + others amount to for the pages that a longer round before would have dirtied, which are
 * spread like rate·(1 − d).
 */
export function meanFieldRound(before: MeanField, round: MeanFieldRound): MeanField {
  const { portions, slotSeconds, order, clear, readAfterSlots } = round;
  const { pages, writesPerSecond, deferred, starts, sharers } = portions;
  if (order.length !== starts.length - 1) {
    throw new RangeError(`an order of ${order.length} stretches for ${starts.length - 1}`);
  }
  const { dirty } = before;
  const slots = expectedSlots(dirty, round);
  const after = new Float64Array(dirty.length);
  const changes = new Changes(clear);
  let position = 0;
  for (const stretch of order) {
    const start = starts[stretch]!;
    const end = starts[stretch + 1]!;
    const mixed = sharers[stretch]!;
    const taken = expectedSlots(dirty, round, start, end);
    for (let portion = start; portion < end; portion++) {
      const d = dirty[portion]!;
      const rate = writesPerSecond[portion]! * slotSeconds;
      const untouched = Math.exp(-rate * slots);
      if (deferred[portion] === 1) {
        after[portion] = 1 - (1 - d) * untouched;
        changes.heldBack(pages[portion]!, d, rate, untouched);
        continue;
      }
      const kept =
        clear === 'page'
          ? meanUntouched(rate, Math.max(0, slots - position - readAfterSlots), mixed, taken)
          : untouched;
      after[portion] = d * (1 - kept) + (1 - d) * (1 - untouched);
      changes.sent(pages[portion]!, d, rate, untouched, kept);
    }
    changes.endStretch(mixed);
    position += taken;
  }
  return { dirty: after, carriedVariance: changes.carriedVariance(before.carriedVariance) };
}
