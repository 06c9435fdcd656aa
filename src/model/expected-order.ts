import type { Heat } from '../core/migration/heat.ts';
import { coldestFirst } from '../core/migration/order/coldest-first.ts';
import { type OrderName, orderRegistry } from '../core/migration/order/orders.ts';
import type { OrderContext } from '../core/migration/order/page-order.ts';
import { PageSet } from '../core/migration/pages.ts';
import { Random } from '../core/random.ts';

/**
 * φ_k of all stretches of portions, given how many pages of each portion are expected to be sent in the round: those of them
 * that are dirty are sent in this order. Rounds count from 1.
 */
export type ExpectedOrder = (toSend: Float64Array, round: number) => Uint32Array;

/**
 * A page order of the migration as one of the model, of a guest whose pages are each a portion and a stretch, in the
 * context that it has there. Ties are broken once. If an order depends on what else is dirty, it is taken to go by the
 * heats of the pages alone, not by their numbers.
 */
export function expectedOrder(name: OrderName, pages: number, context: OrderContext): ExpectedOrder {
  const { order, dependsOnOthers } = orderRegistry.get(name);
  if (!dependsOnOthers) {
    const fixed = order(PageSet.all(pages), context);
    return () => fixed;
  }
  const increasing = coldestFirst(PageSet.all(pages), context);
  const heat: Heat = { see: () => {}, of: (place) => context.heat.of(increasing[place]!) };
  const inPlace = { ...context, heat, random: new Unshuffled(new Uint32Array(4)) };
  return (toSend) => spreadOut(increasing, toSend, (places) => order(places, inPlace));
}

/** Leaves ties as they are: they were broken when the pages were sorted. */
class Unshuffled extends Random {
  override shuffle<T extends Uint32Array>(values: T): T {
    return values;
  }
}

/**
 * Orders a typical dirty set, and every other page like the member of the set that is next to it in heat. Laid end
 * to end from the coldest to the hottest, each page as long as it is likely to be sent, the pages are cut into
 * lengths of one; the page in the middle of each stands for all whose own middle is there. In round 1 every page
 * stands for itself. Sets are of places in `increasing`, not of pages.
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
    const start = end;
    end += toSend[increasing[place]!]!;
    if ((start + end) / 2 >= starts.length) starts.push(place);
    if (Math.floor(end + 0.5) === Math.floor(start + 0.5)) continue;
    typical.add(place);
    lengthOf[place] = starts.length - 1;
  }
  const members = orderOf(typical);
  if (members.length === 0) return increasing;
  // What is left over beyond the last whole length goes with it.
  starts[members.length] = increasing.length;
  const spread = new Uint32Array(increasing.length);
  let next = 0;
  for (const member of members) {
    const length = lengthOf[member]!;
    for (let place = starts[length]!; place < starts[length + 1]!; place++)
      spread[next++] = increasing[place]!;
  }
  return spread;
}
