import { expect, test } from 'vitest';
import { recency } from '../../../../src/core/migration/heat.ts';
import { orders } from '../../../../src/core/migration/order/orders.ts';
import { PageSet } from '../../../../src/core/migration/pages.ts';
import { Random } from '../../../../src/core/random.ts';

test('pages are sent by ascending number, however hot they are and whatever the seed', () => {
  const heat = recency(100);
  heat.see(PageSet.of(100, [0, 1, 2]), 1);
  const dirty = PageSet.of(100, [99, 31, 0, 32, 64, 1]);
  for (const seed of [1, 2]) {
    const order = orders.address.order(dirty, { heat, slotsPerWindow: 61, random: Random.seeded(seed) });
    expect([...order]).toEqual([0, 1, 31, 32, 64, 99]);
  }
});
