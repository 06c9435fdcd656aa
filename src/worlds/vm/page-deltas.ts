import { PageSet } from '../../core/migration/pages.ts';
import { encodeDelta } from '../../core/wire/delta.ts';
import type { SegmentedMemory } from '../../platform/segmented-memory.ts';

const WORD_BYTES = 4;

/**
 * What has changed in pages since they were sent. It is known of a page whose baseline copy the destination has: from when it was sent
 * until its baseline copy is taken anew for another reason than to be sent.
 */
export class PageDeltas {
  readonly #baseline: SegmentedMemory;
  readonly #there: PageSet;
  /** The page as it is now, while the guest may write on. */
  readonly #now: Uint32Array;
  readonly #delta: Uint32Array;
  #taken: { readonly page: number; readonly words: number } | undefined;

  constructor(baseline: SegmentedMemory) {
    const { pages, pageSizeBytes } = baseline;
    this.#baseline = baseline;
    this.#there = new PageSet(pages);
    this.#now = new Uint32Array(pageSizeBytes / WORD_BYTES);
    // With as many words it would be no shorter than the page.
    this.#delta = new Uint32Array(pageSizeBytes / WORD_BYTES - 1);
  }

  /** Takes the page's baseline copy anew, and keeps for `sent` what that changes. */
  take(page: number, live: SegmentedMemory): void {
    const baseline = this.#baseline;
    const start = baseline.startOf(page);
    const now = Buffer.from(this.#now.buffer);
    live.segmentOf(page).copy(now, 0, start, start + baseline.pageSizeBytes);
    this.#taken = undefined;
    if (this.#there.has(page)) {
      const at = baseline.firstWordOf(page);
      const before = baseline.wordsOf(page).subarray(at, at + this.#now.length);
      const words = encodeDelta(before, this.#now, this.#delta);
      if (words !== null) this.#taken = { page, words };
    }
    now.copy(baseline.segmentOf(page), start);
    this.#there.delete(page);
  }

  /** The destination gets the page's baseline copy. @returns the length of what has changed, written at `at`; null: that is not known */
  sent(page: number, into: Buffer, at: number): number | null {
    this.#there.add(page);
    if (this.#taken?.page !== page) return null;
    const bytes = this.#taken.words * WORD_BYTES;
    into.set(new Uint8Array(this.#delta.buffer, 0, bytes), at);
    this.#taken = undefined;
    return bytes;
  }

  /** The page's baseline copy was taken anew, and nothing is sent yet. */
  forget(page: number): void {
    this.#there.delete(page);
    if (this.#taken?.page === page) this.#taken = undefined;
  }
}
