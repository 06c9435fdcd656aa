import { NANOS_PER_SECOND } from '../../units.ts';
import type { NextLook } from '../look.ts';
import { NumberedRound } from '../numbered-round.ts';
import type { OrderContext, PageOrder } from '../order/page-order.ts';
import { PageSet } from '../pages.ts';
import type { Plan } from '../plan.ts';
import type { SentRound } from '../round.ts';
import { asCount, type DirtyPages, type RoundPages, type SendBatch } from '../round-pages.ts';
import type { DirtyCount } from './dirty-count.ts';

/**
 * A round of which is known how many pages are dirty, not which: all pages have their place in the order φ_k, and those that are
 * clean when their turn comes are left out by whoever sends. What is left out of a round would keep such a source from telling
 * what is dirty next, so pages are held back in the last round only.
 */
export class AskedRound implements RoundPages {
  readonly dirtyPages: number;
  readonly isLast: boolean;
  readonly #candidates: NumberedRound;

  /** @param isLast whether the guest is stopped after this round, whatever is dirty then */
  constructor(
    plan: Plan,
    { dirtyPages }: DirtyCount,
    heldBack: PageSet,
    order: PageOrder,
    context: OrderContext,
    isLast: boolean,
  ) {
    const { pages } = plan;
    this.dirtyPages = dirtyPages;
    this.isLast = isLast;
    const notSent = isLast ? heldBack : new PageSet(pages);
    this.#candidates = new NumberedRound(plan, PageSet.all(pages), notSent, order, context);
  }

  get unsentPages(): number {
    return this.#candidates.unsentPages;
  }

  toClear(): undefined {}

  /** All that have not had their turn: what they are is told once, and how far the step goes is a matter of time. */
  next(): Uint32Array {
    return this.#candidates.next(Number.POSITIVE_INFINITY);
  }

  giveBack(batch: SendBatch, turns: number): void {
    this.#candidates.giveBack(batch, turns);
  }

  rest(dirty: DirtyPages): DirtyCount {
    return asCount(dirty);
  }

  /** |F_k|: those of D_k that were not sent. */
  heldBack(sentPages: number): number {
    return Math.max(0, this.dirtyPages - sentPages);
  }
}

/** The next look by its instant alone: how many pages of the order have to pass until so many dirty ones have left is not known. */
export function lookInTime({ pages, atNs }: NextLook, sent: SentRound, plan: Plan, rate: number): NextLook {
  const untilNs =
    rate > 0 ? sent.now + (pages * plan.pageBytes * NANOS_PER_SECOND) / rate : Number.POSITIVE_INFINITY;
  return { pages: Number.POSITIVE_INFINITY, atNs: Math.min(atNs, untilNs) };
}
