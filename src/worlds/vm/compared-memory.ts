import { PageSet } from '../../core/migration/pages.ts';
import type { PageSource } from '../../transport/page-frames.ts';
import { PageDeltas } from './page-deltas.ts';

/** Pages are compared by 32 first, of which most are the same. */
const BLOCK_PAGES = 32;

/**
 * Memory whose owner marks nothing. A page is dirty when it differs from its baseline copy, a copy of it as it was when its
 * mark was last taken off; what is sent is the baseline copy, so that what the destination has is always what we compare
 * with. Page by page:
 *   - a write before the baseline copy is taken is in the baseline copy, and sent;
 *   - a write after it, or while it is taken, makes page and baseline copy differ at the next scan, so it is sent again;
 *   - a write that restores the very bytes that were sent is not missed: the destination has them.
 * With the owner paused, the scan is exact.
 */
export class ComparedMemory implements PageSource {
  readonly pages: number;
  readonly pageSizeBytes: number;
  /** The baseline copy. */
  readonly memory: Buffer;
  readonly #live: Buffer;
  readonly #deltas: PageDeltas | undefined;

  /** @param deltas whether to tell what has changed in a page that was sent before */
  constructor(live: Buffer, pageSizeBytes: number, deltas: boolean) {
    this.pages = live.length / pageSizeBytes;
    this.pageSizeBytes = pageSizeBytes;
    this.#live = live;
    this.memory = Buffer.alloc(live.length);
    // Once, so that no page has to be found in the middle of a migration.
    live.copy(this.memory);
    if (deltas) this.#deltas = new PageDeltas(this.memory, this.pages, pageSizeBytes);
  }

  clear(page: number): void {
    if (this.#deltas) this.#deltas.take(page, this.#live);
    else this.#copy(page);
  }

  delta(page: number, into: Buffer, at: number): number | null {
    return this.#deltas?.sent(page, into, at) ?? null;
  }

  /** The dirty pages; `take`: and takes off their marks. */
  scan(take: boolean): PageSet {
    const dirty = new PageSet(this.pages);
    for (let first = 0; first < this.pages; first += BLOCK_PAGES) {
      const end = Math.min(first + BLOCK_PAGES, this.pages);
      if (!this.#differs(first, end)) continue;
      for (let page = first; page < end; page++) {
        if (!this.#differs(page, page + 1)) continue;
        dirty.add(page);
        if (!take) continue;
        this.#copy(page);
        this.#deltas?.forget(page);
      }
    }
    return dirty;
  }

  #copy(page: number): void {
    const start = page * this.pageSizeBytes;
    this.#live.copy(this.memory, start, start, start + this.pageSizeBytes);
  }

  #differs(first: number, end: number): boolean {
    const [from, to] = [first * this.pageSizeBytes, end * this.pageSizeBytes];
    return this.#live.compare(this.memory, from, to, from, to) !== 0;
  }
}
