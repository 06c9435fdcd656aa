import type { OrderContext, PageOrder } from './order/page-order.ts';
import { PageSet } from './pages.ts';
import type { Plan } from './plan.ts';
import { sendingOrder } from './round.ts';
import { asNumbered, type DirtyPages, type RoundPages } from './round-pages.ts';

/** A round that knows every page by its number. */
export class NumberedRound implements RoundPages {
  readonly dirtyPages: number;
  readonly deferredPages: number;
  readonly #deferred: PageSet;
  readonly #pages: Uint32Array;
  /** Only the stop rule, and clearing by chunks, need to know what is still to be sent. */
  readonly #unsent: PageSet | undefined;
  readonly #chunks: ClearedChunks | undefined;
  #next = 0;

  /** @param isWatched whether it will be asked, before it is over, what is pending */
  constructor(
    { clear, pages }: Plan,
    dirty: PageSet,
    heldBack: PageSet,
    {
      order,
      context,
      isWatched,
    }: {
      readonly order: PageOrder;
      readonly context: OrderContext;
      readonly isWatched: boolean;
    },
  ) {
    this.#deferred = dirty.copy().keepAll(heldBack);
    this.#pages = sendingOrder(order, dirty, this.#deferred, context);
    this.dirtyPages = dirty.count();
    this.deferredPages = this.#deferred.count();
    this.#chunks = typeof clear === 'object' ? new ClearedChunks(clear.chunkPages) : undefined;
    if (isWatched || this.#chunks) this.#unsent = PageSet.of(pages, this.#pages);
  }

  get unsentPages(): number {
    return this.#pages.length - this.#next;
  }

  toClear(): PageSet | undefined {
    return this.#chunks?.enter(this.#pages[this.#next]!, this.#unsent!);
  }

  next(most: number, dirtyAgain?: DirtyPages): Uint32Array {
    const limit = Math.min(this.#next + most, this.#pages.length);
    const end = this.#chunks?.endOfRun(this.#pages, this.#next, limit) ?? limit;
    const batch = this.#pages.subarray(this.#next, end);
    this.#next = end;
    if (this.#unsent) for (const page of batch) this.#unsent.delete(page);
    if (!dirtyAgain) return batch;
    const dirty = asNumbered(dirtyAgain);
    return batch.filter((page) => !dirty.has(page));
  }

  pendingPages(dirty: DirtyPages): number {
    return this.rest(dirty).count();
  }

  rest(dirty: DirtyPages): PageSet {
    const rest = asNumbered(dirty).copy().addAll(this.#deferred);
    if (this.#next < this.#pages.length && this.#unsent) rest.addAll(this.#unsent);
    return rest;
  }
}

/** Which chunks of neighbouring pages have had their dirty bits cleared in this round. */
class ClearedChunks {
  readonly #chunkPages: number;
  readonly #cleared = new Set<number>();

  constructor(chunkPages: number) {
    this.#chunkPages = chunkPages;
  }

  /** The pages of its chunk that this round sends; `undefined`: it is not the first of them to be sent. */
  enter(page: number, unsent: PageSet): PageSet | undefined {
    const chunk = Math.floor(page / this.#chunkPages);
    if (this.#cleared.has(chunk)) return undefined;
    this.#cleared.add(chunk);
    const first = chunk * this.#chunkPages;
    const pages = new PageSet(unsent.pages);
    for (let other = first; other < Math.min(first + this.#chunkPages, unsent.pages); other++) {
      if (unsent.has(other)) pages.add(other);
    }
    return pages;
  }

  /** How far the pages from `start` on stay within chunks already entered, at most to `limit`. */
  endOfRun(pages: Uint32Array, start: number, limit: number): number {
    let end = start;
    while (end < limit && this.#cleared.has(Math.floor(pages[end]! / this.#chunkPages))) end++;
    return end;
  }
}
