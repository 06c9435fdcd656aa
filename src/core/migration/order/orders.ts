import { Registry } from '../../registry.ts';
import { coldestFirst } from './coldest-first.ts';
import { decreasing } from './decreasing.ts';
import { ENDS_PAGES_MAX, ends } from './ends.ts';
import { EXACT_PAGES_MAX, exact } from './exact.ts';
import { type HeatKind, heatKinds, type OrderDefinition, type PageOrder } from './page-order.ts';
import { guarded } from './registered-order.ts';
import { threshold } from './threshold.ts';
import { VEE_PAGES_MAX, vee } from './vee.ts';

/** Any two pages are sent in the same order whatever else is dirty. */
function pairwise(order: PageOrder, heat: HeatKind, describe: string) {
  return { describe, order, heat, dependsOnOthers: false };
}

/** Where a page is sent depends on the probabilities of the others. */
function fitted(order: PageOrder, describe: string, pagesMax = Number.POSITIVE_INFINITY) {
  return { describe, order, heat: 'probability' as const, dependsOnOthers: true, pagesMax };
}

const address: PageOrder = (dirty) => dirty.toArray();
const shuffled: PageOrder = (dirty, { random }) => random.shuffle(dirty.toArray());

/** The page orders of this program. A new one is one file, unless it is one of a line, and one line here. */
export const orders = {
  address: pairwise(address, 'none', 'ascending page number: what QEMU does'),
  random: pairwise(shuffled, 'none', 'a pseudo-random permutation: what Xen did'),
  /** The order of Checconi, Cucinotta and Stein. */
  lru: pairwise(coldestFirst, 'recency', 'the page whose last write is oldest goes first'),
  frequency: pairwise(coldestFirst, 'frequency', 'the page that is written least often goes first'),
  /** Optimal when every π ≤ 1/n. */
  increasing: pairwise(coldestFirst, 'probability', 'by increasing write probability'),
  decreasing: pairwise(decreasing, 'probability', 'by decreasing write probability'),
  threshold: fitted(
    threshold,
    'the k hottest pages first, for the best k, then the rest by increasing probability',
  ),
  ends: fitted(
    ends,
    'hot pages at both ends and cold ones between: the best order of that shape',
    ENDS_PAGES_MAX,
  ),
  vee: fitted(vee, 'decreasing, then increasing probability: the best order of that shape', VEE_PAGES_MAX),
  exact: fitted(exact, 'the best of all orders, as an assignment of pages to slots', EXACT_PAGES_MAX),
} satisfies Record<string, Omit<OrderDefinition, 'name'>>;

/** The name of a page order. What `registerOrder` returns is one, too, though the compiler lists only ours. */
export type OrderName = keyof typeof orders;

export const orderNames = Object.keys(orders) as OrderName[];

/** Every page order, those that users registered among them. */
export const orderRegistry = new Registry<OrderDefinition>(
  'page order',
  orderNames.map((name) => ({ name, ...orders[name] })),
);

/**
 * Adds a page order, which can then be named wherever one of ours can: in a plan, in a scenario, in `compare`.
 * What it returns is checked whenever it is used.
 * @returns its name, as `Plan.order` takes it
 * @throws BadDefinition all that is wrong with it, or its name is taken
 */
export function registerOrder(definition: OrderDefinition): OrderName {
  const { order, heat, dependsOnOthers, pagesMax } = definition;
  orderRegistry.add({ ...definition, order: guarded(definition) }, (insist) => {
    insist(typeof order === 'function', 'order', 'a function', order);
    insist(heatKinds.includes(heat), 'heat', `one of ${heatKinds.join(', ')}`, heat);
    insist(typeof dependsOnOthers === 'boolean', 'dependsOnOthers', 'true or false', dependsOnOthers);
    const isCount = pagesMax === undefined || (Number.isInteger(pagesMax) && pagesMax > 0);
    insist(isCount, 'pagesMax', 'a whole number above 0', pagesMax);
  });
  return definition.name as OrderName;
}
