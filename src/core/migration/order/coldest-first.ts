import type { PageOrder } from './order.ts';

/** Ascending heat, ties at random: shuffle, then sort stably. */
export const coldestFirst: PageOrder = (dirty, { heat, random }) => {
  const pages = random.shuffle(dirty.toArray());
  const keys = new Float32Array(pages.length);
  for (let i = 0; i < pages.length; i++) keys[i] = heat.of(pages[i]!);
  return sortedByKey(pages, keys);
};

const DIGIT_BITS = 11;
const DIGITS = 3;
const BUCKETS = 1 << DIGIT_BITS;

/**
 * `values` in ascending order of `keys` (not negative), stable: a radix sort over the bits of the keys, whose
 * order as whole numbers is their order as numbers (IEEE 754). Linear, so that two million pages are ordinary.
 */
export function sortedByKey(values: Uint32Array, keys: Float32Array): Uint32Array {
  const count = values.length;
  let fromKeys = new Uint32Array(keys.slice().buffer);
  let toKeys = new Uint32Array(count);
  let from = values.slice();
  let to = new Uint32Array(count);
  const starts = digitStarts(fromKeys);
  for (let digit = 0; digit < DIGITS; digit++) {
    const shift = digit * DIGIT_BITS;
    const base = digit * BUCKETS;
    for (let i = 0; i < count; i++) {
      const key = fromKeys[i]!;
      const bucket = base + ((key >>> shift) & (BUCKETS - 1));
      const place = starts[bucket]!;
      starts[bucket] = place + 1;
      toKeys[place] = key;
      to[place] = from[i]!;
    }
    [from, to] = [to, from];
    [fromKeys, toKeys] = [toKeys, fromKeys];
  }
  return from;
}

/** For every digit, where the keys of each of its values begin: counted in one pass over the keys. */
function digitStarts(keys: Uint32Array): Uint32Array {
  const starts = new Uint32Array(DIGITS * BUCKETS);
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i]!;
    const low = key & (BUCKETS - 1);
    const middle = BUCKETS + ((key >>> DIGIT_BITS) & (BUCKETS - 1));
    const high = 2 * BUCKETS + (key >>> (2 * DIGIT_BITS));
    starts[low] = starts[low]! + 1;
    starts[middle] = starts[middle]! + 1;
    starts[high] = starts[high]! + 1;
  }
  for (let digit = 0; digit < DIGITS; digit++) {
    let next = 0;
    for (let bucket = digit * BUCKETS; bucket < (digit + 1) * BUCKETS; bucket++) {
      const size = starts[bucket]!;
      starts[bucket] = next;
      next += size;
    }
  }
  return starts;
}
