/**
 * A set of pages as a bitmap, one bit a page, 32 pages a word. Two million pages are 250 kB and a union is
 * 62,500 word operations, so sets of pages travel as bitmaps everywhere, never as arrays of numbers.
 */
export class PageSet {
  readonly pages: number;
  /** Bit p & 31 of word p >>> 5 is page p. Bits past the last page stay zero. */
  readonly words: Uint32Array;

  constructor(pages: number, words: Uint32Array = new Uint32Array(Math.ceil(pages / 32))) {
    this.pages = pages;
    this.words = words;
  }

  static all(pages: number): PageSet {
    const set = new PageSet(pages);
    set.words.fill(0xffff_ffff);
    const last = pages & 31;
    if (last !== 0) set.words[set.words.length - 1] = 2 ** last - 1;
    return set;
  }

  static of(pages: number, members: ArrayLike<number>): PageSet {
    const set = new PageSet(pages);
    for (let i = 0; i < members.length; i++) set.add(members[i]!);
    return set;
  }

  copy(): PageSet {
    return new PageSet(this.pages, this.words.slice());
  }

  has(page: number): boolean {
    return ((this.words[page >>> 5]! >>> (page & 31)) & 1) === 1;
  }

  add(page: number): void {
    this.words[page >>> 5]! |= 1 << (page & 31);
  }

  delete(page: number): void {
    this.words[page >>> 5]! &= ~(1 << (page & 31));
  }

  /** Without each of these. Neighbours that follow each other are taken out of their word together. */
  deleteRow(pages: Uint32Array): void {
    const { words } = this;
    let word = 0;
    let taken = 0;
    for (let i = 0; i < pages.length; i++) {
      const page = pages[i]!;
      if (page >>> 5 !== word) {
        words[word]! &= ~taken;
        word = page >>> 5;
        taken = 0;
      }
      taken |= 1 << (page & 31);
    }
    if (pages.length > 0) words[word]! &= ~taken;
  }

  clear(): void {
    this.words.fill(0);
  }

  /** this ∪= other, word by word. */
  addAll(other: PageSet): this {
    for (let i = 0; i < this.words.length; i++) this.words[i]! |= other.words[i]!;
    return this;
  }

  /** this ∖= other, word by word. */
  deleteAll(other: PageSet): this {
    for (let i = 0; i < this.words.length; i++) this.words[i]! &= ~other.words[i]!;
    return this;
  }

  /** this ∩= other, word by word. */
  keepAll(other: PageSet): this {
    for (let i = 0; i < this.words.length; i++) this.words[i]! &= other.words[i]!;
    return this;
  }

  equals(other: PageSet): boolean {
    return this.words.every((word, i) => word === other.words[i]);
  }

  count(): number {
    let total = 0;
    for (let i = 0; i < this.words.length; i++) total += ones(this.words[i]!);
    return total;
  }

  /** Calls `visit` with every member in ascending order; empty words cost one comparison. */
  each(visit: (page: number) => void): void {
    for (let i = 0; i < this.words.length; i++) {
      for (let word = this.words[i]!; word !== 0; word &= word - 1)
        visit(i * 32 + 31 - Math.clz32(word & -word));
    }
  }

  /** The members in ascending order. */
  toArray(): Uint32Array {
    const count = this.count();
    if (count === this.pages) return firstPages(count);
    const members = new Uint32Array(count);
    const { words } = this;
    let next = 0;
    for (let i = 0; i < words.length; i++) {
      let word = words[i]!;
      if (word === 0xffff_ffff) for (let page = i * 32; page < (i + 1) * 32; page++) members[next++] = page;
      else for (; word !== 0; word &= word - 1) members[next++] = i * 32 + 31 - Math.clz32(word & -word);
    }
    return members;
  }
}

/** As many as anybody has asked for yet. */
let ascending = new Uint32Array(0);

/** Pages 0, 1, 2, …, so many: copied, which is faster than counting. */
export function firstPages(count: number): Uint32Array {
  if (ascending.length < count) {
    ascending = new Uint32Array(count);
    for (let page = 0; page < count; page++) ascending[page] = page;
  }
  return ascending.slice(0, count);
}

/** The number of set bits of a 32-bit word (Warren, Hacker's Delight, §5–1). */
function ones(word: number): number {
  let x = word - ((word >>> 1) & 0x5555_5555);
  x = (x & 0x3333_3333) + ((x >>> 2) & 0x3333_3333);
  return Math.imul((x + (x >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}
