import type { PageOrder } from './order.ts';

/** Ascending heat, ties at random: shuffle, then sort stably. */
export const coldestFirst: PageOrder = (dirty, { heat, random }) => {
  const pages = random.shuffle(dirty.toArray());
  const keys = new Float32Array(pages.length);
  for (let i = 0; i < pages.length; i++) keys[i] = heat.of(pages[i]!);
  return sortedByKey(pages, keys);
};

const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;

/**
 * `values` in ascending order of `keys` (not negative), stable: a radix sort over the bits of the keys, whose
 * order as whole numbers is their order as numbers (IEEE 754). Linear, so that two million pages are ordinary.
 */
export function sortedByKey(values: Uint32Array, keys: Float32Array): Uint32Array {
  let from = { values: values.slice(), keys: new Uint32Array(keys.slice().buffer) };
  let to = { values: new Uint32Array(values.length), keys: new Uint32Array(values.length) };
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    const starts = new Uint32Array(BUCKETS + 1);
    for (let i = 0; i < values.length; i++) starts[((from.keys[i]! >>> shift) & (BUCKETS - 1)) + 1]! += 1;
    for (let bucket = 1; bucket <= BUCKETS; bucket++) starts[bucket]! += starts[bucket - 1]!;
    for (let i = 0; i < values.length; i++) {
      const key = from.keys[i]!;
      const place = starts[(key >>> shift) & (BUCKETS - 1)]!++;
      to.keys[place] = key;
      to.values[place] = from.values[i]!;
    }
    [from, to] = [to, from];
  }
  return from.values;
}
