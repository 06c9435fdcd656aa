import { Random } from '../core/random.ts';

const LAYOUT_STREAM = 2;

/**
 * All pages, page 0 first, the others in an order that only the seed decides: so what lies together in a
 * program's mind is scattered over the memory, and address order knows nothing of heat.
 */
export function scattered(pages: number, seed: number): Uint32Array {
  const layout = new Uint32Array(pages);
  for (let page = 0; page < pages; page++) layout[page] = page;
  Random.seeded(seed, LAYOUT_STREAM).shuffle(layout.subarray(1));
  return layout;
}
