import { expect, test } from 'vitest';
import { frequency as heatByFrequency } from '../../../../src/core/migration/heat.ts';
import { orders } from '../../../../src/core/migration/order/orders.ts';
import { PageSet } from '../../../../src/core/migration/pages.ts';
import { Random } from '../../../../src/core/random.ts';

const history = [[0, 1, 2], [0, 2], [0], [3], [1]];

function order(halfLifeNs: number): number[] {
  const heat = heatByFrequency(5, halfLifeNs);
  for (const written of history) heat.see(PageSet.of(5, written), 40e6);
  const context = { heat, slotsPerWindow: 61, random: Random.seeded(1) };
  return [...orders.frequency.order(PageSet.all(5), context)];
}

test('the page written least often is sent first, however recently it was', () => {
  const slowly = order(10e9);
  expect(slowly[0]).toBe(4);
  expect(slowly[1]).toBe(3);
  expect(slowly.at(-1)).toBe(0);
});

test('with fast ageing it is the order of recency', () => {
  expect(order(1e6)).toEqual([4, 2, 0, 3, 1]);
});

test('it needs to know the guest’s past', () => {
  expect(orders.frequency).toMatchObject({ order: orders.frequency.order, heat: 'frequency' });
});
