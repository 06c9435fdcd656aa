import type { OrderContext, PageOrder } from './order/page-order.ts';
import { PageSet } from './pages.ts';
import type { Plan } from './plan.ts';
import { sendingOrder } from './round.ts';
import { asNumbered, type DirtyPages, type RoundPages, type SendBatch } from './round-pages.ts';

/** A round that knows every page by its number. */
export class NumberedRound implements RoundPages {
  readonly dirtyPages: number;
  readonly #deferred: PageSet;
  readonly #pages: Uint32Array;
  readonly #unsent: Unsent;
  readonly #chunks: ClearedChunks | undefined;
  #next = 0;

  constructor(
    { clear, pages }: Plan,
    dirty: PageSet,
    heldBack: PageSet,
    order: PageOrder,
    context: OrderContext,
  ) {
    this.#deferred = dirty.copy().keepAll(heldBack);
    this.#pages = sendingOrder(order, dirty, this.#deferred, context);
    this.dirtyPages = dirty.count();
    this.#unsent = new Unsent(pages, this.#pages);
    this.#chunks = typeof clear === 'object' ? new ClearedChunks(clear.chunkPages) : undefined;
  }

  get unsentPages(): number {
    return this.#pages.length - this.#next;
  }

  toClear(): PageSet | undefined {
    return this.#chunks?.enter(this.#pages[this.#next]!, () => this.#unsent.from(this.#next));
  }

  next(most: number, dirtyAgain?: DirtyPages): Uint32Array {
    const limit = Math.min(this.#next + most, this.#pages.length);
    const end = this.#chunks?.endOfRun(this.#pages, this.#next, limit) ?? limit;
    const batch = this.#pages.subarray(this.#next, end);
    this.#next = end;
    if (!dirtyAgain) return batch;
    const dirty = asNumbered(dirtyAgain);
    return batch.filter((page) => !dirty.has(page));
  }

  giveBack(batch: SendBatch, sentPages: number): void {
    const first = (batch as Uint32Array)[sentPages]!;
    this.#next = this.#pages.lastIndexOf(first, this.#next - 1);
  }

  heldBack(): number {
    return this.#deferred.count();
  }

  rest(dirty: DirtyPages): PageSet {
    const rest = asNumbered(dirty).copy().addAll(this.#deferred);
    return this.unsentPages > 0 ? rest.addAll(this.#unsent.from(this.#next)) : rest;
  }
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

  /** The pages of its chunk that this round sends; `undefined`: it is not the first of them to be sent. */
  enter(page: number, unsentPages: () => PageSet): PageSet | undefined {
    const chunk = Math.floor(page / this.#chunkPages);
    if (this.#cleared.has(chunk)) return undefined;
    this.#cleared.add(chunk);
    const first = chunk * this.#chunkPages;
    const unsent = unsentPages();
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
