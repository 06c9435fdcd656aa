import fc from 'fast-check';
import { expect, test } from 'vitest';
import { recency } from '../../../../src/core/migration/heat.ts';
import { orders } from '../../../../src/core/migration/order/orders.ts';
import { PageSet } from '../../../../src/core/migration/pages.ts';
import { Random } from '../../../../src/core/random.ts';

const sent = (dirty: PageSet, seed: number) =>
  orders.random.order(dirty, { heat: recency(dirty.pages), slotsPerWindow: 61, random: Random.seeded(seed) });

test('every dirty page is sent once and no other', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: 99 })), fc.nat(), (members, seed) => {
      const dirty = PageSet.of(100, members);
      expect(sent(dirty, seed).toSorted()).toEqual(dirty.toArray());
    }),
  );
});

test('the same seed gives the same order, another seed another', () => {
  expect(sent(PageSet.all(50), 1)).toEqual(sent(PageSet.all(50), 1));
  expect(sent(PageSet.all(50), 1)).not.toEqual(sent(PageSet.all(50), 2));
});

test('every page is as likely as any other to be sent first, and to be sent last', () => {
  const first = Array(8).fill(0);
  const last = Array(8).fill(0);
  for (let seed = 0; seed < 8_000; seed++) {
    const order = sent(PageSet.all(8), seed);
    first[order[0]!] += 1;
    last[order[7]!] += 1;
  }
  // Five standard deviations of a binomial count of mean 1000.
  for (const count of [...first, ...last]) expect(Math.abs(count - 1_000)).toBeLessThan(148);
});
