import { PageSet } from '../core/migration/pages.ts';
import { type PageNumbers, pageNumbers, type SeenBlock } from '../core/recording/page-numbers.ts';
import { formatSize } from '../core/units.ts';
import { Failure } from '../platform/failure.ts';
import type { WatchedMemory } from './watched-memory.ts';

/** So many are read and compared at once: 256 KiB stay in a processor's own cache, and few calls do. */
const BLOCK_PAGES = 64;

interface Block extends SeenBlock {
  readonly at: number;
  readonly copy: Buffer;
}

/**
 * A copy of watched memory, page by page as it was last seen. A page's place is b × (pages of a block) + i for the i-th
 * page of the b-th block that was met.
 */
export class BaselineCopy {
  readonly #memory: WatchedMemory;
  readonly #mostBytes: number;
  readonly #blocks: Block[] = [];
  readonly #blockAt = new Map<number, Block>();
  readonly #read: Buffer;
  #changed: number[] = [];
  #present = 0;
  /** Pages that were there in any scan. */
  seenPages = 0;
  /** How often a page that was there could not be read. */
  failedReads = 0;

  /** @param mostBytes how much memory the copy may take */
  constructor(memory: WatchedMemory, mostBytes: number) {
    this.#memory = memory;
    this.#mostBytes = mostBytes;
    this.#read = Buffer.alloc(BLOCK_PAGES * memory.pageSizeBytes);
  }

  /** Pages that were seen but not in the last scan. */
  get vanishedPages(): number {
    return this.seenPages - this.#present;
  }

  /**
   * Compares all of the memory with the copy, and brings the copy up to date.
   * @returns the places of pages that differ, or were never seen before
   * @throws Failure the owner of the memory is gone; more memory than the copy may take
   */
  scan(): Uint32Array {
    this.#changed = [];
    this.#present = 0;
    const stretches = [...this.#memory.stretches()];
    const present = stretches.reduce((sum, { pages }) => sum + pages, 0);
    this.#insistOnRoom(Math.max(present, this.seenPages));
    for (const { firstPage, pages } of stretches) {
      const end = firstPage + pages;
      let page = firstPage;
      while (page < end) {
        const index = page % BLOCK_PAGES;
        const block = this.#blockOf(page - index);
        const count = Math.min(BLOCK_PAGES - index, end - page);
        this.#scanBlock(block, index, index + count);
        page += count;
      }
    }
    return Uint32Array.from(this.#changed);
  }

  /** The numbers of all pages seen, in ascending address order, by their places. */
  numbers(): PageNumbers {
    return pageNumbers(this.#blocks, BLOCK_PAGES);
  }

  /** The page of the address space at a place. */
  pageAt(place: number): number {
    return this.#blocks[Math.floor(place / BLOCK_PAGES)]!.firstPage + (place % BLOCK_PAGES);
  }

  #insistOnRoom(pages: number): void {
    const bytes = pages * this.#memory.pageSizeBytes;
    if (bytes <= this.#mostBytes) return;
    throw new Failure(
      `${this.#memory.source} has ${formatSize(bytes)} in memory; the baseline copy may use at most ` +
        `${formatSize(this.#mostBytes)} of what is free here`,
    );
  }

  #blockOf(firstPage: number): Block {
    let block = this.#blockAt.get(firstPage);
    if (!block) {
      const copy = Buffer.alloc(this.#read.length);
      block = { at: this.#blocks.length, firstPage, copy, seen: new PageSet(BLOCK_PAGES) };
      this.#blocks.push(block);
      this.#blockAt.set(firstPage, block);
    }
    return block;
  }

  /** Pages `from` to `to` of a block; where one cannot be read, the scan goes on after it. */
  #scanBlock(block: Block, from: number, to: number): void {
    const { pageSizeBytes } = this.#memory;
    while (from < to) {
      const length = (to - from) * pageSizeBytes;
      const read = this.#memory.read(this.#read, from * pageSizeBytes, length, block.firstPage + from);
      const end = from + Math.floor(read / pageSizeBytes);
      this.#compare(block, from, end);
      this.#present += end - from;
      if (end < to) this.failedReads++;
      from = end + 1;
    }
  }

  #compare(block: Block, from: number, to: number): void {
    const { pageSizeBytes } = this.#memory;
    const [start, end] = [from * pageSizeBytes, to * pageSizeBytes];
    const differs = block.copy.compare(this.#read, start, end, start, end) !== 0;
    for (let index = from; index < to; index++) {
      const [start, end] = [index * pageSizeBytes, (index + 1) * pageSizeBytes];
      const seen = block.seen.has(index);
      if (seen && (!differs || block.copy.compare(this.#read, start, end, start, end) === 0)) continue;
      this.#read.copy(block.copy, start, start, end);
      this.#changed.push(block.at * BLOCK_PAGES + index);
      if (!seen) this.seenPages++;
      block.seen.add(index);
    }
  }
}
