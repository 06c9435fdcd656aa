import { firstPages } from '../core/migration/pages.ts';
import { Random } from '../core/random.ts';

const LAYOUT_STREAM = 2;

/**
 * All pages, page 0 first, the others in a random order of this seed: a program's hot pages are scattered over the
 * memory, and a page's address says nothing about how often it is written.
 */
export function scattered(pages: number, seed: number): Uint32Array {
  const layout = firstPages(pages);
  Random.seeded(seed, LAYOUT_STREAM).shuffle(layout.subarray(1));
  return layout;
}
