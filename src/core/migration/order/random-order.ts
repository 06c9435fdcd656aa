import { proved } from './order.ts';

/** A pseudo-random permutation: what Xen did. */
export const random = proved((dirty, context) => context.random.shuffle(dirty.toArray()));
