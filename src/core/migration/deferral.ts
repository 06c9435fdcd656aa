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
  const coldness = new Float32Array(pages);
  for (let page = 0; page < pages; page++) coldness[page] = 1 / (1e-30 + heat.of(page));
  const hottestFirst = sortedByKey(PageSet.all(pages).toArray(), coldness);
  for (const page of hottestFirst.subarray(0, defer.count)) set.add(page);
  return set;
}
