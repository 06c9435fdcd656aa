import { PageSet } from '../../core/migration/pages.ts';
import { populate } from '../../platform/populate.ts';
import { SegmentedMemory } from '../../platform/segmented-memory.ts';
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
  /** The baseline copy. */
  readonly memory: SegmentedMemory;
  readonly #live: SegmentedMemory;
  readonly #deltas: PageDeltas | undefined;

  /** @param deltas whether to tell what has changed in a page that was sent before */
  constructor(live: SegmentedMemory, deltas: boolean) {
    const segments = live.segments.map(({ length }) => Buffer.alloc(length));
    this.#live = live;
    this.memory = new SegmentedMemory(segments, live.pageSizeBytes);
    if (deltas) this.#deltas = new PageDeltas(this.memory);
  }

  /** Takes the first baseline copy, so that no page of it has to be found in the middle of a migration. */
  async begin(): Promise<void> {
    await populate(this.memory.segments);
    for (const [index, segment] of this.#live.segments.entries()) segment.copy(this.memory.segments[index]!);
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
    const { pages } = this.memory;
    const dirty = new PageSet(pages);
    for (let first = 0, end = 0; first < pages; first = end) {
      end = Math.min(first + BLOCK_PAGES, this.memory.endOfSegment(first), pages);
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
    const start = this.memory.startOf(page);
    const end = start + this.memory.pageSizeBytes;
    this.#live.segmentOf(page).copy(this.memory.segmentOf(page), start, start, end);
  }

  /** Whether any of these pages differ, which lie in one segment. */
  #differs(first: number, end: number): boolean {
    const from = this.memory.startOf(first);
    const to = from + (end - first) * this.memory.pageSizeBytes;
    return this.#live.segmentOf(first).compare(this.memory.segmentOf(first), from, to, from, to) !== 0;
  }
}
