import type { Random } from '../../random.ts';
import type { Heat } from '../heat.ts';
import type { PageSet } from '../pages.ts';

/** What an order may know. */
export interface OrderContext {
  readonly heat: Heat;
  /** The sampling window of the heat in slots T: π per window becomes 1 − (1−π)^(1/slotsPerWindow) per slot. */
  readonly slotsPerWindow: number;
  /** Breaks ties; the same seed gives the same order. */
  readonly random: Random;
}

/** φ_k: the pages of D_k ∖ F_k in the order in which they are sent, first to last: a permutation of `dirty`. */
export interface PageOrder {
  (dirty: PageSet, context: OrderContext): Uint32Array;
  /** Rounds need not check it: see `proved`. */
  readonly isProved?: true;
}

/** An order of our own: that it is a permutation is shown by tests, which costs a migration nothing. */
export function proved(order: PageOrder): PageOrder {
  return Object.assign(order, { isProved: true as const });
}

/** The heat by which an order compares pages: what must be learned of the guest before the migration starts. */
export type HeatKind = 'none' | 'recency' | 'frequency' | 'probability';
