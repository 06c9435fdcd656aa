import { InvariantViolated } from '../invariants.ts';
import { type Bytes, NANOS_PER_SECOND, type Nanos } from '../units.ts';
import { ask, type Migration } from './ask.ts';
import type { NextLook } from './look.ts';
import type { BandwidthMeter } from './meter.ts';
import type { OrderContext, PageOrder } from './order/page-order.ts';
import type { PageSet } from './pages.ts';
import type { Plan } from './plan.ts';
import type { RoundPages } from './round-pages.ts';
import type { StepResultOf } from './steps.ts';

/** What sending D_k ∖ F_k came to. */
export interface SentRound {
  sentPages: number;
  skippedPages: number;
  zeroPages: number;
  bytes: Bytes;
  now: Nanos;
  /** Of the page that leaves next, what the link has carried already: less than a page. Below 0: what has left and is still under way. */
  carriedBytes: Bytes;
}

/** Looks at what is pending while a round is sent. */
export interface Looks {
  /** When the next one is due; its instant counts from the world's beginning. */
  next(sent: SentRound): NextLook;
  /** Told how much would have to be sent if the guest stopped now; true: it does, and the round is cut short. */
  isEnough(pendingPages: number, sent: SentRound): boolean;
}

/** Pages are skipped by what was dirty so few pages ago. */
const SKIP_BATCH_PAGES = 16;

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
 * Sends the pages of a round in their order. In one piece as far as nothing has to be known meanwhile; otherwise in batches,
 * because a look at what is pending is due, because pages that are dirty again are skipped, or because a chunk's
 * dirty bits are to be cleared before its first page.
 */
export function* sendRound(
  plan: Plan,
  round: RoundPages,
  meter: BandwidthMeter,
  startedAtNs: Nanos,
  looks: Looks,
): Migration<SentRound> {
  const sent: SentRound = {
    ...{ sentPages: 0, skippedPages: 0, zeroPages: 0, bytes: 0 },
    ...{ now: startedAtNs, carriedBytes: 0 },
  };
  const all = round.unsentPages;
  const turns = () => all - round.unsentPages;
  let look = looks.next(sent);
  let lookAt = look.pages;
  while (round.unsentPages > 0) {
    const toClear = round.toClear();
    if (toClear) yield* ask({ kind: 'clear', pages: toClear });
    const before = turns();
    const again = plan.skip ? (yield* ask({ kind: 'harvest', take: false })).dirty : undefined;
    const batch = round.next(Math.min(lookAt - before, plan.skip ? SKIP_BATCH_PAGES : all), again);
    const done = yield* ask({
      kind: 'send',
      pages: batch,
      rateBytesPerSecond: plan.rateBytesPerSecond,
      clears: plan.clear === 'page',
      endsRound: round.unsentPages === 0,
      ...(look.atNs < Number.POSITIVE_INFINITY && { untilNs: look.atNs }),
      ...(round.isLast !== undefined && { isLast: round.isLast }),
    });
    const { underWayBytes = 0, cleanPages = 0 } = done;
    const hadTurn = done.sentPages + cleanPages;
    const isCut = hadTurn < batch.length;
    if (isCut) round.giveBack(batch, hadTurn);
    sent.skippedPages += turns() - before - hadTurn;
    const carried = underWayBytes > 0 ? -underWayBytes : isCut ? carriedBytes(plan, sent, done) : 0;
    // A page that the link has carried a part of may be dirty again, and is skipped.
    meter.sent(Math.max(0, done.bytes + carried - sent.carriedBytes), done.now - sent.now);
    sent.carriedBytes = carried;
    sent.sentPages += done.sentPages;
    sent.zeroPages += done.zeroPages;
    sent.bytes += done.bytes;
    sent.now = done.now;
    if (round.unsentPages > 0 && (turns() >= lookAt || sent.now >= look.atNs)) {
      const { dirty } = yield* ask({ kind: 'harvest', take: false });
      if (looks.isEnough(round.rest(dirty).count(), sent)) return sent;
      look = looks.next(sent);
      lookAt = turns() + look.pages;
    }
  }
  return sent;
}

/** Of a page that did not leave before the step ended, what the reserved link has carried meanwhile. */
function carriedBytes(
  { rateBytesPerSecond, pageBytes }: Plan,
  before: SentRound,
  { now, bytes }: StepResultOf<'sent'>,
): Bytes {
  if (rateBytesPerSecond === null) return 0;
  const ofStep = ((now - before.now) * rateBytesPerSecond) / NANOS_PER_SECOND - bytes;
  return Math.min(pageBytes - 1, Math.max(0, before.carriedBytes + ofStep));
}
