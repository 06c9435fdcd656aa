import { NANOS_PER_SECOND, type Nanos } from '../units.ts';
import type { PageSet } from './pages.ts';
import { lastWindows, type WindowsSeen, weighed } from './windows-seen.ts';

/**
 * How hot a page is: our estimate of how soon it will be written again. Orders compare heats of the same kind
 * with each other; only `frequency` and `known` are probabilities.
 */
export interface Heat {
  /** The heat of a page: larger is hotter, 0 is never seen written. */
  of(page: number): number;
  /** Where few heats differ, as with classes of pages: which of them each page has, the coldest being 0. */
  readonly ranks?: Uint8Array | undefined;
}

/** A heat that is learned of the guest's past. Windows follow each other without a gap. */
export interface LearnedHeat extends Heat {
  /** Learns the pages written during the last `windowNs`. */
  see(dirty: PageSet, windowNs: Nanos): void;
  /** The same of several windows in a row, after which it is as if they had been seen one by one. */
  seeAll(windows: WindowsSeen): void;
}

/** Nothing is known of any page. */
export const unknown: Heat = { of: () => 0 };

/** A rank is a byte. */
const RANKS = 256;

/** Recency: the number of the last window that saw the page written. What an LRU list knows. */
export function recency(pages: number): LearnedHeat {
  const lastSeen = new Uint32Array(pages);
  let windows = 0;
  return {
    see(dirty) {
      windows += 1;
      dirty.each((page) => {
        lastSeen[page] = windows;
      });
    },
    seeAll(seen) {
      const last = lastWindows(seen);
      for (let index = 0; index < last.length; index++) {
        lastSeen[seen.pages[index]!] = windows + last[index]! + 1;
      }
      windows += seen.lengthsNs.length;
    },
    of: (page) => lastSeen[page]!,
    get ranks() {
      return windows < RANKS ? Uint8Array.from(lastSeen) : undefined;
    },
  };
}

/** A growth past which all weights are scaled down, far from the end of a double's range. */
const RESCALE_ABOVE = 2 ** 500;

/**
 * Frequency with ageing: the weighted share of windows that saw the page written, a window's weight halving
 * with every `halfLifeNs` of age; so it estimates the probability of a write within one window.
 *
 *   π̂(p) = Σ_w 2^(−age(w)/h)·[p ∈ w] / Σ_w 2^(−age(w)/h)
 *
 * Instead of shrinking every old weight, each new window weighs more than the one before: O(pages written).
 */
export function frequency(pages: number, halfLifeNs: Nanos): LearnedHeat {
  const seen = new Float64Array(pages);
  let total = 0;
  let weight = 1;
  /** @returns what all older weights have been divided by */
  const nextWindow = (windowNs: Nanos): number => {
    weight *= 2 ** (windowNs / halfLifeNs);
    const divisor = weight > RESCALE_ABOVE ? weight : 1;
    if (divisor > 1) {
      for (let page = 0; page < pages; page++) seen[page]! /= divisor;
      total /= divisor;
      weight = 1;
    }
    total += weight;
    return divisor;
  };
  return {
    see(dirty, windowNs) {
      nextWindow(windowNs);
      dirty.each((page) => {
        seen[page]! += weight;
      });
    },
    seeAll(windows) {
      const weights = new Float64Array(windows.lengthsNs.length);
      for (let window = 0; window < weights.length; window++) {
        const divisor = nextWindow(windows.lengthsNs[window]!);
        for (let older = 0; divisor > 1 && older < window; older++) weights[older]! /= divisor;
        weights[window] = weight;
      }
      const sums = weighed(windows, weights);
      for (let index = 0; index < sums.length; index++) seen[windows.pages[index]!]! += sums[index]!;
    },
    // A page that all windows saw has all the weight, but for the order in which it was added up.
    of: (page) => (total === 0 ? 0 : Math.min(1, seen[page]! / total)),
  };
}

/** How often each page is written in the long run. */
export interface WriteRates {
  /** The rate of each page; with `classOf`, of each class. */
  readonly writesPerSecond: Float64Array;
  /** The class that each page belongs to, where pages are written in classes. */
  readonly classOf?: Uint8Array;
}

/** Perfect knowledge: page p is written in a window with probability 1 − exp(−rate_p · window). */
export function known({ writesPerSecond, classOf }: WriteRates, windowNs: Nanos): Heat {
  const probabilities = writesPerSecond.map((rate) => -Math.expm1((-rate * windowNs) / NANOS_PER_SECOND));
  if (!classOf) return { of: (page) => probabilities[page]! };
  return {
    of: (page) => probabilities[classOf[page]!]!,
    ranks: ranksOf(probabilities, classOf),
  };
}

/** Each page's place among the different heats, which orders tell apart as 32-bit numbers. */
function ranksOf(probabilities: Float64Array, classOf: Uint8Array): Uint8Array {
  const heats = Float32Array.from(probabilities);
  const ascending = [...new Set(heats)].sort((a, b) => a - b);
  const rankOf = Uint8Array.from(heats, (heat) => ascending.indexOf(heat));
  if (rankOf.every((rank, index) => rank === index)) return classOf;
  return classOf.map((index) => rankOf[index]!);
}
