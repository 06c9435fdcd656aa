import { type WindowsSeen, wordsOfWindows } from '../../core/migration/windows-seen.ts';
import type { Random } from '../../core/random.ts';
import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { groupRate, type PoissonGroup } from '../../workload/program.ts';

/** Probability of a write in a window, below which windows are skipped over and not drawn 32 at a time. */
const SKIPPING_PAYS_BELOW = 0.05;

/**
 * Which of some windows in a row see which pages of a guest that writes each at its own rate: page p in a window of
 * length l with probability 1 − exp(−rate_p · l), independently of all others. That is drawn at once, as it would come
 * about window by window.
 */
export class DrawnWindows {
  readonly #lengthsNs: Float64Array;
  readonly #longestNs: Nanos;
  readonly #isEven: boolean;
  readonly #random: Random;
  readonly #words: number;
  #pages = new Uint32Array(FIRST_ROOM);
  #seen: Uint32Array;
  /** How many pages there are. Page 0 is the first of them. */
  #count = 1;

  /** @param lengthsNs in the time of the guest's program */
  constructor(lengthsNs: Float64Array, random: Random) {
    this.#lengthsNs = lengthsNs;
    this.#longestNs = lengthsNs.reduce((most, lengthNs) => Math.max(most, lengthNs), 0);
    this.#isEven = lengthsNs.every((lengthNs) => lengthNs === this.#longestNs);
    this.#random = random;
    this.#words = wordsOfWindows(lengthsNs.length);
    this.#seen = new Uint32Array(FIRST_ROOM * this.#words);
  }

  /** @param windowNs how long each window was outside of the guest */
  seen(windowNs: Nanos): WindowsSeen {
    // Unless it was never written.
    const first = this.#seen.subarray(0, this.#words).some((word) => word !== 0) ? 0 : 1;
    return {
      lengthsNs: this.#lengthsNs.map(() => windowNs),
      pages: this.#pages.subarray(first, this.#count),
      seen: this.#seen.subarray(first * this.#words, this.#count * this.#words),
    };
  }

  /** Page 0 was written in this window. */
  addFirstPage(window: number): void {
    this.#seen[window >>> 5]! |= 1 << (window & 31);
  }

  addGroup(group: PoissonGroup): void {
    const most = writtenWithin(group.mostWritesPerSecond, this.#longestNs);
    if (most === 0) return;
    if (most < SKIPPING_PAYS_BELOW) this.#skip(group, most);
    else this.#drawPages(group);
  }

  /** From one write to the next over all pages and windows, as `VirtualGuest` skips from page to page. */
  #skip(group: PoissonGroup, most: number): void {
    const windows = this.#lengthsNs.length;
    const random = this.#random;
    const mean = (group.mostWritesPerSecond * this.#longestNs) / NANOS_PER_SECOND;
    const end = group.pages.length * windows;
    let last = -1;
    let row = 0;
    for (let at = random.skips(mean); at < end; at += 1 + random.skips(mean)) {
      const index = Math.floor(at / windows);
      const window = at - index * windows;
      if (!this.#isKept(groupRate(group, index), window, most)) continue;
      if (index !== last) row = this.#rowOf(group.pages[index]!);
      last = index;
      this.#seen[row + (window >>> 5)]! |= 1 << (window & 31);
    }
  }

  #drawPages(group: PoissonGroup): void {
    const { pages } = group;
    const windows = this.#lengthsNs.length;
    const words = this.#words;
    const random = this.#random;
    const lastWord = 0xffff_ffff >>> (words * 32 - windows);
    const drawn = new Uint32Array(words);
    let rate = -1;
    let most = 0;
    for (let index = 0; index < pages.length; index++) {
      if (groupRate(group, index) !== rate) {
        rate = groupRate(group, index);
        most = writtenWithin(rate, this.#longestNs);
      }
      if (this.#isEven) random.happenings(drawn, most);
      else this.#drawUnevenly(drawn, lastWord, rate, most);
      drawn[words - 1]! &= lastWord;
      let row = -1;
      for (let word = 0; word < words; word++) {
        if (drawn[word] === 0) continue;
        if (row < 0) row = this.#rowOf(pages[index]!);
        this.#seen[row + word]! |= drawn[word]!;
      }
    }
  }

  #drawUnevenly(drawn: Uint32Array, lastWord: number, rate: number, most: number): void {
    for (let word = 0; word < drawn.length; word++) {
      const one = drawn.subarray(word, word + 1);
      this.#random.happenings(one, most);
      if (word === drawn.length - 1) one[0]! &= lastWord;
      one[0] = this.#kept(one[0]!, word, rate, most);
    }
  }

  /** Of the windows of a word that were drawn as if all were as long as the longest, those that saw a write. */
  #kept(drawn: number, word: number, rate: number, most: number): number {
    let kept = 0;
    for (let left = drawn; left !== 0; left &= left - 1) {
      const bit = left & -left;
      if (this.#isKept(rate, word * 32 + 31 - Math.clz32(bit), most)) kept |= bit;
    }
    return kept;
  }

  #isKept(rate: number, window: number, most: number): boolean {
    const own = writtenWithin(rate, this.#lengthsNs[window]!);
    return own === most || this.#random.happens(own / most);
  }

  /** Where the words of this page begin. */
  #rowOf(page: number): number {
    if (page === 0) return 0;
    if (this.#count === this.#pages.length) {
      const [pages, seen] = [this.#pages, this.#seen];
      this.#pages = new Uint32Array(2 * pages.length);
      this.#pages.set(pages);
      this.#seen = new Uint32Array(2 * seen.length);
      this.#seen.set(seen);
    }
    this.#pages[this.#count] = page;
    this.#count += 1;
    return (this.#count - 1) * this.#words;
  }
}

const FIRST_ROOM = 2_048;

function writtenWithin(writesPerSecond: number, lengthNs: Nanos): number {
  return -Math.expm1((-writesPerSecond * lengthNs) / NANOS_PER_SECOND);
}
