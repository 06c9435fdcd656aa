import type { Nanos } from '../units.ts';

/** What sampling windows in a row saw: of each page that was written in any of them, in which. */
export interface WindowsSeen {
  /** How long each of them was, the oldest first. */
  readonly lengthsNs: Float64Array;
  /** The pages that were written, each once. */
  readonly pages: Uint32Array;
  /** `wordsOfWindows` words for each of these pages: bit w & 31 of word w >>> 5 is window w. */
  readonly seen: Uint32Array;
}

/** How many words have a bit for each of so many windows. */
export function wordsOfWindows(windows: number): number {
  return Math.ceil(windows / 32);
}

/** For each page of `pages`, the last window that saw it. */
export function lastWindows({ lengthsNs, pages, seen }: WindowsSeen): Uint32Array {
  const words = wordsOfWindows(lengthsNs.length);
  return pages.map((_, index) => {
    let word = (index + 1) * words - 1;
    while (seen[word] === 0) word--;
    return (word - index * words) * 32 + 31 - Math.clz32(seen[word]!);
  });
}

const BYTE = 256;

/**
 * For each page of `pages`, the weights of the windows that saw it, added up: eight windows at a time, from a table of what
 * each byte comes to.
 */
export function weighed({ lengthsNs, pages, seen }: WindowsSeen, weights: Float64Array): Float64Array {
  const words = wordsOfWindows(lengthsNs.length);
  const table = new Float64Array(words * 4 * BYTE);
  for (let start = 0; start < table.length; start += BYTE) {
    // Of what has only higher bits, each with this one besides.
    for (let lowest = 7; lowest >= 0; lowest--) {
      const weight = weights[(start / BYTE) * 8 + lowest] ?? 0;
      const bit = 1 << lowest;
      for (let at = start; at < start + BYTE; at += 2 * bit) table[at + bit] = table[at]! + weight;
    }
  }
  const sums = new Float64Array(pages.length);
  for (let index = 0; index < seen.length; index++) {
    const word = seen[index]!;
    if (word === 0) continue;
    const page = Math.floor(index / words);
    const at = (index - page * words) * 4 * BYTE;
    sums[page]! +=
      table[at + (word & 255)]! +
      table[at + BYTE + ((word >>> 8) & 255)]! +
      table[at + 2 * BYTE + ((word >>> 16) & 255)]! +
      table[at + 3 * BYTE + (word >>> 24)]!;
  }
  return sums;
}

/** How long all of them were together. */
export function lastedNs({ lengthsNs }: WindowsSeen): Nanos {
  return lengthsNs.reduce((sum, lengthNs) => sum + lengthNs, 0);
}
