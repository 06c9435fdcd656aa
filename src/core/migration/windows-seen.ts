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

/** Calls `visit` for each page with the windows that saw it, the oldest first. */
export function eachSight(
  { lengthsNs, pages, seen }: WindowsSeen,
  visit: (page: number, window: number) => void,
): void {
  const words = wordsOfWindows(lengthsNs.length);
  for (let index = 0; index < seen.length; index++) {
    const row = Math.floor(index / words);
    for (let word = seen[index]!; word !== 0; word &= word - 1) {
      visit(pages[row]!, (index - row * words) * 32 + 31 - Math.clz32(word & -word));
    }
  }
}

/** How long all of them were together. */
export function lastedNs({ lengthsNs }: WindowsSeen): Nanos {
  return lengthsNs.reduce((sum, lengthNs) => sum + lengthNs, 0);
}
