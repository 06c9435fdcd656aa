import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Heat, known } from '../../../../src/core/migration/heat.ts';
import { coldestFirst, sortedByKey } from '../../../../src/core/migration/order/coldest-first.ts';
import { PageSet } from '../../../../src/core/migration/pages.ts';
import { Random } from '../../../../src/core/random.ts';

const heatOf = (heats: readonly number[]): Heat => ({ of: (page) => heats[page]! });

const sent = (dirty: PageSet, heats: readonly number[], seed: number) =>
  coldestFirst(dirty, { heat: heatOf(heats), slotsPerWindow: 61, random: Random.seeded(seed) });

/** A guest's heats, many of them equal, and some of its pages. */
const guests = fc.integer({ min: 1, max: 80 }).chain((pages) => {
  const heat = fc.oneof(
    fc.constantFrom(0, 0.5, 1, 17, 2 ** -149),
    fc.double({ min: 0, max: 1, noNaN: true }),
  );
  return fc.record({
    heats: fc.array(heat, { minLength: pages, maxLength: pages }),
    dirty: fc.uniqueArray(fc.nat({ max: pages - 1 })).map((members) => PageSet.of(pages, members)),
    seed: fc.nat(),
  });
});

describe('coldest first', () => {
  test('sends the same pages in the same order whether heats have ranks or not', () => {
    // Two of these rates are so high that their heats are one.
    const writesPerSecond = Float64Array.of(0, 1e-5, 0.4, 2.5, 16.8, 5e3, 9e3);
    const classes = fc.uint8Array({ max: writesPerSecond.length - 1, minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(classes, fc.nat(), (classOf, seed) => {
        const heat = known({ writesPerSecond, classOf }, 40e6);
        expect(heat.ranks).toBeDefined();
        const order = (of: Heat) =>
          coldestFirst(PageSet.all(classOf.length), {
            heat: of,
            slotsPerWindow: 61,
            random: Random.seeded(seed),
          });
        expect(order(heat)).toEqual(order({ ...heat, ranks: undefined }));
      }),
    );
  });

  test('sends every dirty page once and no other', () => {
    fc.assert(
      fc.property(guests, ({ heats, dirty, seed }) => {
        expect(sent(dirty, heats, seed).toSorted()).toEqual(dirty.toArray());
      }),
    );
  });

  test('sends no page before a colder one', () => {
    fc.assert(
      fc.property(guests, ({ heats, dirty, seed }) => {
        const order = [...sent(dirty, heats, seed)].map((page) => Math.fround(heats[page]!));
        expect(order).toEqual(order.toSorted((a, b) => a - b));
      }),
    );
  });

  test('leaves the dirty set as it was', () => {
    const dirty = PageSet.of(10, [1, 5, 9]);
    sent(dirty, Array(10).fill(0), 1);
    expect([...dirty.toArray()]).toEqual([1, 5, 9]);
  });

  test('breaks ties at random: the same seed gives the same order, another seed another', () => {
    const dirty = PageSet.all(60);
    const heats = Array.from({ length: 60 }, (_, page) => page % 3);
    expect(sent(dirty, heats, 4)).toEqual(sent(dirty, heats, 4));
    expect(sent(dirty, heats, 4)).not.toEqual(sent(dirty, heats, 5));
    expect(sent(dirty, heats, 4)).not.toEqual(sent(dirty, heats, 4).toSorted());
  });

  test('breaks ties without preference: of three equally hot pages each order is taken a sixth of the time', () => {
    const counts = new Map<string, number>();
    for (let seed = 0; seed < 6_000; seed++) {
      const order = sent(PageSet.all(4), [1, 1, 0, 1], seed).join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // Five standard deviations of a binomial count of mean 1000.
    for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(145);
  });

  test('asks the context’s random numbers anew each time, so that rounds break ties differently', () => {
    const context = { heat: heatOf(Array(40).fill(1)), slotsPerWindow: 61, random: Random.seeded(3) };
    expect(coldestFirst(PageSet.all(40), context)).not.toEqual(coldestFirst(PageSet.all(40), context));
  });
});

describe('the linear sort', () => {
  const keys = fc.oneof(
    fc.float({ min: 0, noNaN: true }),
    fc.constantFrom(0, 2 ** -149, 2 ** -148, 2 ** -126, 1, 1 + 2 ** -23, 3.4028234663852886e38),
    fc.constantFrom(Number.POSITIVE_INFINITY, 0.1, 0.1, 1e-10),
  );

  test('is the stable sort of Array, equal keys, zeros, subnormals and infinity included', () => {
    fc.assert(
      fc.property(fc.array(keys, { maxLength: 300 }), (list) => {
        const key = Float32Array.from(list);
        const values = Uint32Array.from(list, (_, index) => index * 7 + 3);
        const expected = [...list.keys()]
          .toSorted((a, b) => key[a]! - key[b]! || a - b)
          .map((i) => values[i]!);
        // Infinity − infinity is no number, so `||` falls through to the index, as it does for equal keys.
        expect([...sortedByKey(values, key)]).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  test('is stable whether few or many keys differ', () => {
    const random = Random.seeded(5);
    for (const different of [1, 2, 127, 128, 129, 3_000]) {
      const key = Float32Array.from({ length: 10_000 }, () => random.below(different) / 7);
      const values = Uint32Array.from(key.keys());
      const expected = [...values].sort((a, b) => key[a]! - key[b]! || a - b);
      expect([...sortedByKey(values, key)], `${different} keys`).toEqual(expected);
    }
  });

  test('looks at every bit of a key, by radix too', () => {
    const many = Array.from({ length: 200 }, (_, i) => i + 1);
    for (let bit = 0; bit < 31; bit++) {
      const words = Uint32Array.of((2 ** bit) >>> 0, 0, ...many.map((i) => (i << 20) >>> 0));
      const key = new Float32Array(words.buffer);
      if (key.some(Number.isNaN)) continue;
      const values = Uint32Array.from(key.keys());
      const expected = [...values].sort((a, b) => words[a]! - words[b]! || a - b);
      expect([...sortedByKey(values, key)], `bit ${bit}`).toEqual(expected);
    }
  });

  test('tells keys apart that differ in one bit alone', () => {
    for (let bit = 0; bit < 31; bit++) {
      const words = Uint32Array.of((2 ** bit) >>> 0, 0);
      const key = new Float32Array(words.buffer);
      if (Number.isNaN(key[0])) continue;
      expect([...sortedByKey(Uint32Array.of(10, 20), key)], `bit ${bit}`).toEqual([20, 10]);
    }
  });

  test('changes neither the values nor the keys that it is given', () => {
    const values = Uint32Array.of(1, 2, 3);
    const key = Float32Array.of(3, 2, 1);
    expect([...sortedByKey(values, key)]).toEqual([3, 2, 1]);
    expect([...values]).toEqual([1, 2, 3]);
    expect([...key]).toEqual([3, 2, 1]);
  });

  test('sorts the part of a larger array that it is given', () => {
    const memory = Float32Array.of(9, 8, 3, 2, 1, 0);
    expect([...sortedByKey(Uint32Array.of(1, 2, 3), memory.subarray(2, 5))]).toEqual([3, 2, 1]);
  });
});
