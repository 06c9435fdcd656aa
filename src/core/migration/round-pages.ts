import { DirtyCount } from './asked/dirty-count.ts';
import { LumpedBatch, LumpedPages } from './lumped/lumped-pages.ts';
import { firstPages, PageSet } from './pages.ts';

/** What a world says is dirty: which pages, or how many of each stratum, or how many in all. */
export type DirtyPages = PageSet | LumpedPages | DirtyCount;

/** What is sent at once: pages in their order, or how many of each stratum. */
export type SendBatch = Uint32Array | LumpedBatch;

/** D_k as a round begins, which holds F_k back and sends the others in the order φ_k, batch by batch. */
export interface RoundPages {
  /** |D_k|. */
  readonly dirtyPages: number;
  /** |F_k|, as it is known once so many pages of the round have been sent. */
  heldBack(sentPages: number): number;
  /** Where it is asked for page by page: whether the guest is stopped after it, whatever is dirty then. */
  readonly isLast?: boolean;
  /** Of φ_k, how many have not had their turn. */
  readonly unsentPages: number;
  /** The dirty bits that have to be cleared before the next batch, where that is done in chunks. */
  toClear(): PageSet | undefined;
  /**
   * The next pages of φ_k, at most so many, at least one; without those that are dirty again, if it is said what is: these
   * may be all.
   */
  next(most: number, dirtyAgain?: DirtyPages): SendBatch;
  /** Only the first so many of the last batch were sent: the others have their turn again. */
  giveBack(batch: SendBatch, sentPages: number): void;
  /** What would have to be sent if the guest stopped now, and D_{k+1} at the end: dirty, held back, or without a turn so far. */
  rest(dirty: DirtyPages): DirtyPages;
}

/**
 * D_{K+1}, all of it: what is dirty while the guest is stopped, and what it was known to owe before.
 * @param pages of the guest: where nobody says which are dirty, all are asked for
 */
export function stopBatch(dirty: DirtyPages, owed: DirtyPages, pages: number): SendBatch {
  if (dirty instanceof PageSet) return dirty.copy().addAll(asNumbered(owed)).toArray();
  if (dirty instanceof DirtyCount) return firstPages(pages);
  const all = dirty.strata.map(({ isZero }, stratum) => ({
    ...{ stratum, isZero, passedOver: 0 },
    // By address, so that pages of zeros are last.
    place: isZero ? 1 : 0,
    sent: dirty.pendingOf(stratum),
  }));
  return new LumpedBatch(
    all.filter(({ sent }) => sent > 0),
    Number.POSITIVE_INFINITY,
    0,
  );
}

/** A world keeps to one kind of answers. */
export function asNumbered(dirty: DirtyPages): PageSet {
  if (dirty instanceof PageSet) return dirty;
  throw new TypeError('pages by number expected, found counts');
}

/** The same of counts. */
export function asLumped(dirty: DirtyPages): LumpedPages {
  if (dirty instanceof LumpedPages) return dirty;
  throw new TypeError('counts expected, found pages by number');
}

/** The same of a number alone. */
export function asCount(dirty: DirtyPages): DirtyCount {
  if (dirty instanceof DirtyCount) return dirty;
  throw new TypeError('a number of dirty pages expected, found pages or strata');
}
