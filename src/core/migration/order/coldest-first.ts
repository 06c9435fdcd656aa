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
  const count = values.length;
  let [fromKeys, toKeys] = [new Uint32Array(keys.slice().buffer), new Uint32Array(count)];
  let [from, to] = [values.slice(), new Uint32Array(count)];
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    const starts = new Uint32Array(BUCKETS + 1);
    for (let i = 0; i < count; i++) starts[((fromKeys[i]! >>> shift) & (BUCKETS - 1)) + 1]! += 1;
    // A digit that all keys share, as the lowest ones of small whole numbers do, moves nothing.
    if (count === 0 || starts[((fromKeys[0]! >>> shift) & (BUCKETS - 1)) + 1] === count) continue;
    for (let bucket = 1; bucket <= BUCKETS; bucket++) starts[bucket]! += starts[bucket - 1]!;
    for (let i = 0; i < count; i++) {
      const key = fromKeys[i]!;
      const digit = (key >>> shift) & (BUCKETS - 1);
      const place = starts[digit]!;
      starts[digit] = place + 1;
      toKeys[place] = key;
      to[place] = from[i]!;
    }
    [from, to] = [to, from];
    [fromKeys, toKeys] = [toKeys, fromKeys];
  }
  return from;
}
