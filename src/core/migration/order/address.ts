import type { PageOrder } from './order.ts';

/** Ascending page number: what QEMU does. */
export const address: PageOrder = (dirty) => dirty.toArray();
