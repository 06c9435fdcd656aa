import { address } from './address.ts';
import { decreasing } from './decreasing.ts';
import { ENDS_PAGES_MAX, ends } from './ends.ts';
import { EXACT_PAGES_MAX, exact } from './exact.ts';
import { frequency } from './frequency.ts';
import { increasing } from './increasing.ts';
import { lru } from './lru.ts';
import type { HeatKind, PageOrder } from './order.ts';
import { random } from './random-order.ts';
import { threshold } from './threshold.ts';
import { VEE_PAGES_MAX, vee } from './vee.ts';

/** Every page order by name, with the heat it needs. A new one is one file and one line here. */
export const orders = {
  address: { order: address, heat: 'none' },
  random: { order: random, heat: 'none' },
  lru: { order: lru, heat: 'recency' },
  frequency: { order: frequency, heat: 'frequency' },
  increasing: { order: increasing, heat: 'probability' },
  decreasing: { order: decreasing, heat: 'probability' },
  threshold: { order: threshold, heat: 'probability' },
  ends: { order: ends, heat: 'probability' },
  vee: { order: vee, heat: 'probability' },
  exact: { order: exact, heat: 'probability' },
} as const satisfies Record<string, { order: PageOrder; heat: HeatKind }>;

/** The most pages that an order takes; the others take any number. */
export const orderPagesMax: Partial<Record<OrderName, number>> = {
  ends: ENDS_PAGES_MAX,
  vee: VEE_PAGES_MAX,
  exact: EXACT_PAGES_MAX,
};

export type OrderName = keyof typeof orders;
export const orderNames = Object.keys(orders) as OrderName[];
