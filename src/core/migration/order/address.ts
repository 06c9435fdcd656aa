import { proved } from './order.ts';

/** Ascending page number: what QEMU does. */
export const address = proved((dirty) => dirty.toArray());
