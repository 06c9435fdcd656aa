import { PageSet } from '../../core/migration/pages.ts';

/**
 * The dirty log that guest and sender share: one bit a page, changed by atomic operations only.
 *
 * No write is lost, because the two sides go opposite ways: the guest writes the page, then marks it; the
 * sender clears the mark, then copies the page. Take any write W with its mark M, and the sender's clear C with
 * its copy R. M and C are atomic operations on the same word, so one precedes the other for everybody.
 *   - M before C: W precedes M precedes C precedes R, so the copy contains the write.
 *   - C before M: after the copy the mark is still there, so the page will be sent again.
 * Either way the destination ends up with W. (The other orders would lose writes: a guest that marks first can
 * be cleared and copied between its mark and its write.)
 */
export class DirtyLog {
  readonly pages: number;
  readonly buffer: SharedArrayBuffer;
  readonly #words: Uint32Array;

  constructor(pages: number, buffer = new SharedArrayBuffer(Math.ceil(pages / 32) * 4)) {
    this.pages = pages;
    this.buffer = buffer;
    this.#words = new Uint32Array(buffer);
  }

  mark(page: number): void {
    Atomics.or(this.#words, page >>> 5, 1 << (page & 31));
  }

  clear(page: number): void {
    Atomics.and(this.#words, page >>> 5, ~(1 << (page & 31)));
  }

  markAll(): void {
    const all = PageSet.all(this.pages).words;
    for (let i = 0; i < all.length; i++) Atomics.or(this.#words, i, all[i]!);
  }

  /** The marked pages; the marks stay. */
  read(): PageSet {
    const words = new Uint32Array(this.#words.length);
    for (let i = 0; i < words.length; i++) words[i] = Atomics.load(this.#words, i);
    return new PageSet(this.pages, words);
  }

  /** The marked pages; their marks are taken off, word by word, so that each mark is seen exactly once. */
  take(): PageSet {
    const words = new Uint32Array(this.#words.length);
    for (let i = 0; i < words.length; i++) words[i] = Atomics.exchange(this.#words, i, 0);
    return new PageSet(this.pages, words);
  }
}
