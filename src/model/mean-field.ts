import type { PageSet } from '../core/migration/pages.ts';

/** A guest's memory at the start of a round, in expectation. */
export interface MeanField {
  /** d: the probability of each page to be dirty, held-back pages among them. */
  readonly dirty: Float64Array;
  /**
   * What the variance of the number of dirty pages is above Σd(1 − d), that of independent pages; negative where
   * the pages make up for each other. Rounds of random length make it: after a long one all pages are dirtier.
   */
  readonly carriedVariance: number;
}

/** What is decided and known before a round. */
export interface MeanFieldRound {
  readonly writesPerSecond: Float64Array;
  /** T: what a page takes on the link. */
  readonly slotSeconds: number;
  /** All pages, first sent first; those that are not dirty are passed over. */
  readonly order: Uint32Array;
  /** F: once dirty they stay dirty, and take no slot. */
  readonly deferred: PageSet | null;
  /** Whether a dirty bit is cleared when its page is sent, or all of them when the round starts. */
  readonly clear: 'page' | 'round';
  /** Pages from this number on hold zeros, and take `zeroSlots` slots each instead of one. */
  readonly zeroFrom: number;
  readonly zeroSlots: number;
}

/** Before round 1: every page is dirty, and nothing is random yet. */
export function allDirty(pages: number): MeanField {
  return { dirty: new Float64Array(pages).fill(1), carriedVariance: 0 };
}

/** m: how many slots the round is expected to take. */
export function expectedSlots(
  dirty: Float64Array,
  round: Pick<MeanFieldRound, 'deferred' | 'zeroFrom' | 'zeroSlots'>,
): number {
  const { deferred, zeroFrom, zeroSlots } = round;
  let slots = 0;
  for (let page = 0; page < dirty.length; page++) {
    if (deferred?.has(page)) continue;
    slots += page < zeroFrom ? dirty[page]! : dirty[page]! * zeroSlots;
  }
  return slots;
}

/**
 * One round (after Checconi, Cucinotta and Stein, the number of pages sent before page p replaced by its
 * expectation pos): with m = Σd, π the probability of a write in one slot, and so (1 − π)^e = exp(−rate·T·e),
 *
 *   d' = d·(1 − (1 − π)^(m − pos)) + (1 − d)·(1 − (1 − π)^m)
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
  const { writesPerSecond, slotSeconds, order, deferred, zeroFrom, zeroSlots } = round;
  const clearsEach = round.clear === 'page';
  const dirty = before.dirty;
  const pages = dirty.length;
  if (order.length !== pages) throw new RangeError(`an order of ${order.length} pages for ${pages}`);
  const slots = expectedSlots(dirty, round);
  const after = new Float64Array(pages);
  const changes = new Changes();
  let position = 0;
  for (let place = 0; place < pages; place++) {
    const page = order[place]!;
    const d = dirty[page]!;
    const rate = writesPerSecond[page]! * slotSeconds;
    const untouched = Math.exp(-rate * slots);
    if (deferred?.has(page)) {
      after[page] = 1 - (1 - d) * untouched;
      changes.exposedAnyway += (1 - d) * rate * untouched;
      changes.heldBack(rate * (1 - d), untouched);
      continue;
    }
    const kept = clearsEach ? Math.exp(-rate * Math.max(0, slots - position)) : untouched;
    after[page] = d * (1 - kept) + (1 - d) * (1 - untouched);
    changes.sent(d * (1 - d), rate * (1 - d), untouched - kept);
    if (clearsEach) changes.exposedBefore += d * rate * kept;
    else changes.exposedAnyway += d * rate * kept;
    changes.exposedAnyway += (1 - d) * rate * untouched;
    position += page < zeroFrom ? d : d * zeroSlots;
  }
  return { dirty: after, carriedVariance: changes.carriedVariance(before.carriedVariance) };
}

/** Sums over the pages of a round, in the order in which they are sent: see `meanFieldRound`. */
class Changes {
  /** How many pages a slot more would dirty: among those sent so far; wherever in the round it were. */
  exposedBefore = 0;
  exposedAnyway = 0;
  // With s = own + exposedBefore, and weights w = d(1 − d) or growth: Σw, Σw·s, Σw·s² − Σw·own².
  #variance = 0;
  #changed = 0;
  #injected = 0;
  #growth = 0;
  #sentGrowth = 0;
  #grown = 0;

  sent(variance: number, growth: number, own: number): void {
    const change = own + this.exposedBefore;
    this.#variance += variance;
    this.#changed += variance * change;
    this.#injected += variance * (change * change - own * own);
    this.#growth += growth;
    this.#sentGrowth += growth;
    this.#grown += growth * change;
  }

  heldBack(growth: number, own: number): void {
    this.#growth += growth;
    this.#grown += growth * own;
  }

  /** exposedAnyway is only known now; it changes every s by the same amount. */
  carriedVariance(carriedIn: number): number {
    const anyway = this.exposedAnyway;
    const injected = this.#injected + 2 * anyway * this.#changed + anyway * anyway * this.#variance;
    if (this.#growth === 0) return injected;
    const gain = (this.#grown + anyway * this.#sentGrowth) / this.#growth;
    return injected + gain * gain * carriedIn;
  }
}
