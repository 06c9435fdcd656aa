import { expect, test } from 'vitest';
import { recency } from '../../../../src/core/migration/heat.ts';
import { orders } from '../../../../src/core/migration/order/orders.ts';
import { PageSet } from '../../../../src/core/migration/pages.ts';
import { Random } from '../../../../src/core/random.ts';

test('the page written longest ago is sent first, one written just now last, however often either was', () => {
  const heat = recency(5);
  for (const written of [[0, 1, 2], [0, 2], [0], [3], [1]]) heat.see(PageSet.of(5, written), 40e6);
  const order = orders.lru.order(PageSet.of(5, [0, 1, 2, 3, 4]), {
    heat,
    slotsPerWindow: 61,
    random: Random.seeded(1),
  });
  expect([...order]).toEqual([4, 2, 0, 3, 1]);
});

test('it needs to know the guest’s past', () => {
  expect(orders.lru).toMatchObject({ order: orders.lru.order, heat: 'recency' });
});
