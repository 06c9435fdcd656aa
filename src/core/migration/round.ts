import { InvariantViolated } from '../invariants.ts';
import type { Bytes, Nanos } from '../units.ts';
import { ask, type Migration } from './ask.ts';
import type { BandwidthMeter } from './meter.ts';
import type { OrderContext, PageOrder } from './order/page-order.ts';
import { PageSet } from './pages.ts';
import { batchPages, type Plan } from './plan.ts';

/** What sending D_k ∖ F_k came to. */
export interface SentRound {
  sentPages: number;
  skippedPages: number;
  zeroPages: number;
  bytes: Bytes;
  now: Nanos;
  /** Not sent, because the round was cut short. */
  unsent: PageSet;
}

/** Told between batches what would have to be sent if the guest stopped now; true: it does, and the round is cut short. */
export type IsEnough = (pending: PageSet, sent: SentRound) => boolean;

/**
 * φ_k of D_k ∖ F_k, of which |φ_k| = |D_k| − |F_k| is asserted: no page is lost, none is sent twice, F_k ⊆ D_k. What an
 * order that somebody registered returns is checked page by page (order/registered-order.ts); ours are checked by tests.
 * @throws InvariantViolated that does not hold
 */
export function sendingOrder(
  order: PageOrder,
  dirty: PageSet,
  deferred: PageSet,
  context: OrderContext,
): Uint32Array {
  const pages = order(dirty.copy().deleteAll(deferred), context);
  const expected = dirty.count() - deferred.count();
  if (pages.length === expected) return pages;
  throw new InvariantViolated('round: φ_k sends each page of D_k ∖ F_k once, F_k ⊆ D_k', {
    '|φ_k|': pages.length,
    '|D_k| − |F_k|': expected,
  });
}

/**
 * Sends the pages of a round in their order. In one piece if nothing has to be known meanwhile; otherwise in batches,
 * because the stop rule asks what is pending, because pages that are dirty again are skipped, or because a chunk's
 * dirty bits are to be cleared before its first page.
 */
export function* sendRound(
  plan: Plan,
  pages: Uint32Array,
  meter: BandwidthMeter,
  startedAtNs: Nanos,
  isEnough: IsEnough | undefined,
): Migration<SentRound> {
  const chunks = typeof plan.clear === 'object' ? new ClearedChunks(plan.clear.chunkPages) : undefined;
  // Only the stop rule, and clearing by chunks, need to know what is still to be sent.
  const unsent = isEnough || chunks ? PageSet.of(plan.pages, pages) : new PageSet(plan.pages);
  const sent: SentRound = { sentPages: 0, skippedPages: 0, zeroPages: 0, bytes: 0, now: startedAtNs, unsent };
  const most = isEnough || plan.skip ? batchPages(plan) : pages.length;
  for (let next = 0; next < pages.length; ) {
    if (chunks?.enter(pages[next]!))
      yield* ask({ kind: 'clear', pages: chunks.toClear(pages[next]!, unsent) });
    const end = chunks ? chunks.endOfRun(pages, next, next + most) : Math.min(next + most, pages.length);
    let batch = pages.subarray(next, end);
    if (plan.skip) {
      const { dirty } = yield* ask({ kind: 'harvest', take: false });
      batch = batch.filter((page) => !dirty.has(page));
    }
    sent.skippedPages += end - next - batch.length;
    const done = yield* ask({
      kind: 'send',
      pages: batch,
      rateBytesPerSecond: plan.rateBytesPerSecond,
      clears: plan.clear === 'page',
      endsRound: end === pages.length,
    });
    if (isEnough || chunks) for (const page of pages.subarray(next, end)) unsent.delete(page);
    next = end;
    meter.sent(done.bytes, done.now - sent.now);
    sent.sentPages += done.sentPages;
    sent.zeroPages += done.zeroPages;
    sent.bytes += done.bytes;
    sent.now = done.now;
    if (isEnough && next < pages.length) {
      const { dirty } = yield* ask({ kind: 'harvest', take: false });
      if (isEnough(dirty.copy().addAll(unsent), sent)) return sent;
    }
  }
  return sent;
}

/** Which chunks of neighbouring pages have had their dirty bits cleared in this round. */
class ClearedChunks {
  readonly #chunkPages: number;
  readonly #cleared = new Set<number>();

  constructor(chunkPages: number) {
    this.#chunkPages = chunkPages;
  }

  /** Whether the page is the first of its chunk to be sent. */
  enter(page: number): boolean {
    const chunk = Math.floor(page / this.#chunkPages);
    if (this.#cleared.has(chunk)) return false;
    this.#cleared.add(chunk);
    return true;
  }

  /** The pages of the same chunk that this round sends. */
  toClear(page: number, unsent: PageSet): PageSet {
    const first = Math.floor(page / this.#chunkPages) * this.#chunkPages;
    const pages = new PageSet(unsent.pages);
    for (let other = first; other < Math.min(first + this.#chunkPages, unsent.pages); other++) {
      if (unsent.has(other)) pages.add(other);
    }
    return pages;
  }

  /** How far the pages from `start` on stay within chunks already entered, at most to `limit`. */
  endOfRun(pages: Uint32Array, start: number, limit: number): number {
    let end = start;
    while (
      end < Math.min(limit, pages.length) &&
      this.#cleared.has(Math.floor(pages[end]! / this.#chunkPages))
    )
      end++;
    return end;
  }
}
