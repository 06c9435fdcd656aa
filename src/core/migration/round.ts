import { InvariantViolated } from '../invariants.ts';
import { type Bytes, NANOS_PER_SECOND, type Nanos } from '../units.ts';
import { ask, type Migration } from './ask.ts';
import type { NextLook } from './look.ts';
import type { BandwidthMeter } from './meter.ts';
import type { OrderContext, PageOrder } from './order/page-order.ts';
import { PageSet } from './pages.ts';
import type { Plan } from './plan.ts';
import type { StepResultOf } from './steps.ts';

/** What sending D_k ∖ F_k came to. */
export interface SentRound {
  sentPages: number;
  skippedPages: number;
  zeroPages: number;
  bytes: Bytes;
  now: Nanos;
  /** Of the page that leaves next, what the link has carried already: less than a page. */
  carriedBytes: Bytes;
  /** Not sent, because the round was cut short. */
  unsent: PageSet;
}

/** Looks at what is pending while a round is sent. */
export interface Looks {
  /** When the next one is due; its instant counts from the world's beginning. */
  next(sent: SentRound): NextLook;
  /** Told what would have to be sent if the guest stopped now; true: it does, and the round is cut short. */
  isEnough(pending: PageSet, sent: SentRound): boolean;
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
  pages: Uint32Array,
  meter: BandwidthMeter,
  startedAtNs: Nanos,
  looks: Looks,
): Migration<SentRound> {
  const chunks = typeof plan.clear === 'object' ? new ClearedChunks(plan.clear.chunkPages) : undefined;
  const unsent = new Unsent(plan.pages, pages);
  const sent: SentRound = {
    ...{ sentPages: 0, skippedPages: 0, zeroPages: 0, bytes: 0 },
    ...{ now: startedAtNs, carriedBytes: 0, unsent: new PageSet(plan.pages) },
  };
  let look = looks.next(sent);
  let lookAt = look.pages;
  for (let next = 0; next < pages.length; ) {
    if (chunks?.enter(pages[next]!))
      yield* ask({ kind: 'clear', pages: chunks.toClear(pages[next]!, unsent.from(next)) });
    const most = Math.min(lookAt, plan.skip ? next + SKIP_BATCH_PAGES : pages.length, pages.length);
    const end = chunks ? chunks.endOfRun(pages, next, most) : most;
    let batch = pages.subarray(next, end);
    if (plan.skip) {
      const { dirty } = yield* ask({ kind: 'harvest', take: false });
      batch = batch.filter((page) => !dirty.has(page));
    }
    const done = yield* ask({
      kind: 'send',
      pages: batch,
      rateBytesPerSecond: plan.rateBytesPerSecond,
      clears: plan.clear === 'page',
      endsRound: end === pages.length,
      ...(look.atNs < Number.POSITIVE_INFINITY && { untilNs: look.atNs }),
    });
    const isCut = done.sentPages < batch.length;
    const reached = isCut ? pages.indexOf(batch[done.sentPages]!, next) : end;
    sent.skippedPages += reached - next - done.sentPages;
    next = reached;
    const carried = isCut ? carriedBytes(plan, sent, done) : 0;
    meter.sent(done.bytes + carried - sent.carriedBytes, done.now - sent.now);
    sent.carriedBytes = carried;
    sent.sentPages += done.sentPages;
    sent.zeroPages += done.zeroPages;
    sent.bytes += done.bytes;
    sent.now = done.now;
    if (next < pages.length && (next >= lookAt || sent.now >= look.atNs)) {
      const { dirty } = yield* ask({ kind: 'harvest', take: false });
      if (looks.isEnough(dirty.copy().addAll(unsent.from(next)), sent))
        return { ...sent, unsent: unsent.from(next) };
      look = looks.next(sent);
      lookAt = next + look.pages;
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

/** The pages of a round that have not been sent yet: found only if somebody asks, each page once. */
class Unsent {
  readonly #pages: number;
  readonly #order: Uint32Array;
  #set: PageSet | undefined;
  #from = 0;

  constructor(pages: number, order: Uint32Array) {
    this.#pages = pages;
    this.#order = order;
  }

  /** From this place of the order on, which never goes back. */
  from(place: number): PageSet {
    this.#set ??= PageSet.of(this.#pages, this.#order);
    for (; this.#from < place; this.#from++) this.#set.delete(this.#order[this.#from]!);
    return this.#set;
  }
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
