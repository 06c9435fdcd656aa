import { sortedByKey } from '../migration/order/coldest-first.ts';
import type { OrderContext } from '../migration/order/order.ts';
import { type OrderName, orders } from '../migration/order/orders.ts';
import { PageSet } from '../migration/pages.ts';

/**
 * φ_k of all pages, given the probability of each to be sent in the round: whichever of them are dirty are sent in
 * this order. Rounds count from 1.
 */
export type ExpectedOrder = (toSend: Float64Array, round: number) => Uint32Array;

/** Where these orders send a page depends on which others are dirty; elsewhere any two pages are ordered alike for ever. */
const fitted: ReadonlySet<OrderName> = new Set<OrderName>(['threshold', 'ends', 'vee', 'exact']);

/** A page order of the migration as one of the model. The context is that of the migration: the same heats, the same ties. */
export function expectedOrder(name: OrderName, pages: number, context: OrderContext): ExpectedOrder {
  const { order } = orders[name];
  if (!fitted.has(name)) {
    const fixed = order(PageSet.all(pages), context);
    return () => fixed;
  }
  const heats = Float32Array.from({ length: pages }, (_, page) => context.heat.of(page));
  const increasing = sortedByKey(PageSet.all(pages).toArray(), heats);
  return (toSend) => spreadOut(increasing, toSend, (typical) => order(typical, context));
}

/**
 * Orders a typical dirty set, and every other page as the member of the set that is next to it in heat. Laid end to
 * end from the coldest to the hottest, each page as long as it is likely to be sent, the pages are cut into lengths
 * of one; the page in the middle of each stands for all whose own middle is there. In round 1 that is everybody.
 */
function spreadOut(
  increasing: Uint32Array,
  toSend: Float64Array,
  orderOf: (typical: PageSet) => Uint32Array,
): Uint32Array {
  const typical = new PageSet(increasing.length);
  const lengthOf = new Uint32Array(increasing.length);
  const starts: number[] = [];
  let end = 0;
  for (let place = 0; place < increasing.length; place++) {
    const page = increasing[place]!;
    const start = end;
    end += toSend[page]!;
    if ((start + end) / 2 >= starts.length) starts.push(place);
    if (Math.floor(end + 0.5) === Math.floor(start + 0.5)) continue;
    typical.add(page);
    lengthOf[page] = starts.length - 1;
  }
  const members = orderOf(typical);
  if (members.length === 0) return increasing;
  // What is left over beyond the last whole length goes with it.
  starts[members.length] = increasing.length;
  const spread = new Uint32Array(increasing.length);
  let next = 0;
  for (const member of members) {
    const length = lengthOf[member]!;
    for (let place = starts[length]!; place < starts[length + 1]!; place++) spread[next++] = increasing[place]!;
  }
  return spread;
}
