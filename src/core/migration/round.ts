import { InvariantViolated } from '../invariants.ts';
import type { Bytes, Nanos } from '../units.ts';
import { ask, type Migration } from './ask.ts';
import type { BandwidthMeter } from './meter.ts';
import type { OrderContext, PageOrder } from './order/page-order.ts';
import type { PageSet } from './pages.ts';
import { batchPages, type Plan } from './plan.ts';
import type { RoundPages } from './round-pages.ts';

/** What sending D_k ∖ F_k came to. */
export interface SentRound {
  sentPages: number;
  skippedPages: number;
  zeroPages: number;
  bytes: Bytes;
  now: Nanos;
}

/** Told between batches how much would have to be sent if the guest stopped now; true: it does, and the round is cut short. */
export type IsEnough = (pendingPages: number, sent: SentRound) => boolean;

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
  round: RoundPages,
  meter: BandwidthMeter,
  startedAtNs: Nanos,
  isEnough: IsEnough | undefined,
): Migration<SentRound> {
  const sent: SentRound = { sentPages: 0, skippedPages: 0, zeroPages: 0, bytes: 0, now: startedAtNs };
  const most = isEnough || plan.skip ? batchPages(plan) : plan.pages;
  while (round.unsentPages > 0) {
    const toClear = round.toClear();
    if (toClear) yield* ask({ kind: 'clear', pages: toClear });
    const unsentPages = round.unsentPages;
    const again = plan.skip ? (yield* ask({ kind: 'harvest', take: false })).dirty : undefined;
    const batch = round.next(most, again);
    sent.skippedPages += unsentPages - round.unsentPages - batch.length;
    const done = yield* ask({
      kind: 'send',
      pages: batch,
      rateBytesPerSecond: plan.rateBytesPerSecond,
      clears: plan.clear === 'page',
      endsRound: round.unsentPages === 0,
    });
    meter.sent(done.bytes, done.now - sent.now);
    sent.sentPages += done.sentPages;
    sent.zeroPages += done.zeroPages;
    sent.bytes += done.bytes;
    sent.now = done.now;
    if (isEnough && round.unsentPages > 0) {
      const { dirty } = yield* ask({ kind: 'harvest', take: false });
      if (isEnough(round.pendingPages(dirty), sent)) return sent;
    }
  }
  return sent;
}
