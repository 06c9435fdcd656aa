import type { Heat } from './heat.ts';
import { sortedByKey } from './order/coldest-first.ts';
import { PageSet } from './pages.ts';
import type { Defer } from './plan.ts';

/**
 * F: the pages that wait for the stop whenever they are dirty, F_k = F ∩ D_k (Checconi, Cucinotta and Stein, §4,
 * delayed transmission). By threshold F = {p : π̂(p) ≥ threshold}, π̂ being the probability of a write within one
 * sampling window, not within one slot: in 0.65 ms no page reaches 30 %. By count, the hottest so many.
 */
export function deferrable(defer: Defer | null, heat: Heat, pages: number): PageSet {
  const set = new PageSet(pages);
  if (defer === null) return set;
  if ('threshold' in defer) {
    for (let page = 0; page < pages; page++) if (heat.of(page) >= defer.threshold) set.add(page);
    return set;
  }
  const { ranks } = heat;
  if (ranks) return hottestByRank(ranks, defer.count, set);
  const coldness = new Float32Array(pages);
  for (let page = 0; page < pages; page++) coldness[page] = 1 / (1e-30 + heat.of(page));
  const hottestFirst = sortedByKey(PageSet.all(pages).toArray(), coldness);
  for (const page of hottestFirst.subarray(0, defer.count)) set.add(page);
  return set;
}

/** The hottest so many, the first of equal ones, by counting how many there are of each rank. */
function hottestByRank(ranks: Uint8Array, count: number, set: PageSet): PageSet {
  const pagesOf = new Uint32Array(256);
  for (let page = 0; page < ranks.length; page++) pagesOf[ranks[page]!]! += 1;
  let rank = 255;
  let left = count;
  // All of the higher ranks, and what is left of this one.
  for (; rank > 0 && pagesOf[rank]! <= left; rank--) left -= pagesOf[rank]!;
  for (let page = 0; page < ranks.length; page++) {
    if (ranks[page]! > rank || (ranks[page] === rank && left-- > 0)) set.add(page);
  }
  return set;
}
