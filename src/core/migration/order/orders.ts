import { Registry } from '../../registry.ts';
import { address } from './address.ts';
import { decreasing } from './decreasing.ts';
import { ENDS_PAGES_MAX, ends } from './ends.ts';
import { EXACT_PAGES_MAX, exact } from './exact.ts';
import { frequency } from './frequency.ts';
import { increasing } from './increasing.ts';
import { lru } from './lru.ts';
import { heatKinds, type OrderDefinition } from './order.ts';
import { random } from './random-order.ts';
import { guarded } from './registered-order.ts';
import { threshold } from './threshold.ts';
import { VEE_PAGES_MAX, vee } from './vee.ts';

/** The page orders of this program. A new one is one file and one entry here. */
export const orders = {
  address: {
    describe: 'ascending page number: what QEMU does',
    order: address,
    heat: 'none',
    dependsOnOthers: false,
  },
  random: {
    describe: 'a pseudo-random permutation: what Xen did',
    order: random,
    heat: 'none',
    dependsOnOthers: false,
  },
  lru: {
    describe: 'the page that was not written for longest first',
    order: lru,
    heat: 'recency',
    dependsOnOthers: false,
  },
  frequency: {
    describe: 'the page that is written least often first',
    order: frequency,
    heat: 'frequency',
    dependsOnOthers: false,
  },
  increasing: {
    describe: 'by increasing write probability',
    order: increasing,
    heat: 'probability',
    dependsOnOthers: false,
  },
  decreasing: {
    describe: 'by decreasing write probability',
    order: decreasing,
    heat: 'probability',
    dependsOnOthers: false,
  },
  threshold: {
    describe: 'the hottest pages first, as many as is best, then the others by increasing write probability',
    order: threshold,
    heat: 'probability',
    dependsOnOthers: true,
  },
  ends: {
    describe: 'hot pages at both ends: the best order of that shape',
    order: ends,
    heat: 'probability',
    dependsOnOthers: true,
    pagesMax: ENDS_PAGES_MAX,
  },
  vee: {
    describe: 'decreasing, then increasing write probability: the best order of that shape',
    order: vee,
    heat: 'probability',
    dependsOnOthers: true,
    pagesMax: VEE_PAGES_MAX,
  },
  exact: {
    describe: 'the best of all orders, as an assignment of pages to slots',
    order: exact,
    heat: 'probability',
    dependsOnOthers: true,
    pagesMax: EXACT_PAGES_MAX,
  },
} as const satisfies Record<string, Omit<OrderDefinition, 'name'>>;

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
