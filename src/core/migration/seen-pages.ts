import type { Nanos } from '../units.ts';
import { type WindowsSeen, wordsOfWindows } from './windows-seen.ts';

const FIRST_ROOM = 1_024;

/** Notes which windows see which pages, one write after the other. */
export class SeenPages {
  readonly #windows: number;
  readonly #words: number;
  /** Where each page is in `#found`; −1: not seen. */
  readonly #placeOf: Int32Array;
  #found = new Uint32Array(FIRST_ROOM);
  #seen: Uint32Array;
  #count = 0;

  constructor(pages: number, windows: number) {
    this.#windows = windows;
    this.#words = wordsOfWindows(windows);
    this.#placeOf = new Int32Array(pages).fill(-1);
    this.#seen = new Uint32Array(FIRST_ROOM * this.#words);
  }

  add(page: number, window: number): void {
    let place = this.#placeOf[page]!;
    if (place === -1) {
      place = this.#count++;
      if (place === this.#found.length) this.#grow();
      this.#found[place] = page;
      this.#placeOf[page] = place;
    }
    this.#seen[place * this.#words + (window >>> 5)]! |= 1 << (window & 31);
  }

  /** @param windowNs how long each of them was */
  windows(windowNs: Nanos): WindowsSeen {
    return {
      lengthsNs: new Float64Array(this.#windows).fill(windowNs),
      pages: this.#found.subarray(0, this.#count),
      seen: this.#seen.subarray(0, this.#count * this.#words),
    };
  }

  #grow(): void {
    const [found, seen] = [this.#found, this.#seen];
    this.#found = new Uint32Array(2 * found.length);
    this.#found.set(found);
    this.#seen = new Uint32Array(2 * seen.length);
    this.#seen.set(seen);
  }
}
