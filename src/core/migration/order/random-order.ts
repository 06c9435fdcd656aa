import type { PageOrder } from './order.ts';

/** A pseudo-random permutation: what Xen did. */
export const random: PageOrder = (dirty, context) => context.random.shuffle(dirty.toArray());
