import type { PageOrder } from './page-order.ts';

/** Ascending heat, ties at random: shuffle, then sort stably. */
export const coldestFirst: PageOrder = (dirty, { heat, random }) => {
  const pages = random.shuffle(dirty.toArray());
  const { ranks } = heat;
  if (ranks) return sortedByRank(pages, ranks);
  const keys = new Float32Array(pages.length);
  for (let i = 0; i < pages.length; i++) keys[i] = heat.of(pages[i]!);
  return sortedByKey(pages, keys);
};

/** `pages` in ascending order of their ranks, stable: where each rank begins is counted first. */
function sortedByRank(pages: Uint32Array, ranks: Uint8Array): Uint32Array {
  const starts = new Uint32Array(257);
  for (let i = 0; i < pages.length; i++) starts[ranks[pages[i]!]! + 1]! += 1;
  for (let rank = 1; rank < starts.length; rank++) starts[rank]! += starts[rank - 1]!;
  const sorted = new Uint32Array(pages.length);
  for (let i = 0; i < pages.length; i++) sorted[starts[ranks[pages[i]!]!]!++] = pages[i]!;
  return sorted;
}

/**
 * `values` in ascending order of `keys` (not negative), stable, in linear time, so that two million pages are
 * ordinary: by counting where few keys differ, as with classes of pages, otherwise by radix. What has the key 0, as most
 * pages of a guest that was watched, needs no sorting.
 */
export function sortedByKey(values: Uint32Array, keys: Float32Array): Uint32Array {
  const bits = new Uint32Array(keys.buffer, keys.byteOffset, keys.length);
  let zeros = 0;
  for (let i = 0; i < bits.length; i++) if (bits[i] === 0) zeros += 1;
  if (zeros === 0) return sorted(values, bits);
  const sortedValues = new Uint32Array(values.length);
  const [others, othersBits] = [
    new Uint32Array(values.length - zeros),
    new Uint32Array(values.length - zeros),
  ];
  let [zero, other] = [0, 0];
  for (let i = 0; i < bits.length; i++) {
    if (bits[i] === 0) sortedValues[zero++] = values[i]!;
    else {
      others[other] = values[i]!;
      othersBits[other++] = bits[i]!;
    }
  }
  sortedValues.set(sorted(others, othersBits), zeros);
  return sortedValues;
}

function sorted(values: Uint32Array, keys: Uint32Array): Uint32Array {
  return sortedByCounting(values, keys) ?? sortedByRadix(values, keys.slice());
}

const SLOT_BITS = 9;
const SLOTS = 1 << SLOT_BITS;
const MOST_COUNTED = SLOTS / 4;
/** Knuth's multiplicative hash: 2^32 divided by the golden ratio. */
const HASH_FACTOR = 0x9e37_79b1;

/** Counts the values of each different key in a hash table; `undefined` when there are too many of them. */
function sortedByCounting(values: Uint32Array, keys: Uint32Array): Uint32Array | undefined {
  const slotKeys = new Uint32Array(SLOTS);
  const counts = new Uint32Array(SLOTS);
  const slotOf = new Uint16Array(keys.length);
  const used: number[] = [];
  let key = -1;
  let slot = 0;
  for (let i = 0; i < keys.length; i++) {
    if (keys[i] !== key) {
      key = keys[i]!;
      slot = Math.imul(key, HASH_FACTOR) >>> (32 - SLOT_BITS);
      while (counts[slot] !== 0 && slotKeys[slot] !== key) slot = (slot + 1) & (SLOTS - 1);
      if (counts[slot] === 0) {
        if (used.length === MOST_COUNTED) return undefined;
        used.push(slot);
        slotKeys[slot] = key;
      }
    }
    slotOf[i] = slot;
    counts[slot]! += 1;
  }
  let next = 0;
  for (const slot of used.sort((a, b) => slotKeys[a]! - slotKeys[b]!)) {
    const size = counts[slot]!;
    counts[slot] = next;
    next += size;
  }
  const sorted = new Uint32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const place = counts[slotOf[i]!]!;
    counts[slotOf[i]!] = place + 1;
    sorted[place] = values[i]!;
  }
  return sorted;
}

const DIGIT_BITS = 11;
const DIGITS = 3;
const BUCKETS = 1 << DIGIT_BITS;

/** A radix sort over the bits of the keys, whose order as whole numbers is their order as numbers (IEEE 754). */
function sortedByRadix(values: Uint32Array, keys: Uint32Array): Uint32Array {
  const count = values.length;
  let fromKeys: Uint32Array = keys;
  let toKeys: Uint32Array = new Uint32Array(count);
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
