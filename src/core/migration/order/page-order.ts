import type { Random } from '../../random.ts';
import type { Named } from '../../registry.ts';
import type { Heat } from '../heat.ts';
import type { PageSet } from '../pages.ts';

/** What an order may know. */
export interface OrderContext {
  readonly heat: Heat;
  /** The sampling window of the heat in slots T: π per window becomes 1 − (1−π)^(1/slotsPerWindow) per slot. */
  readonly slotsPerWindow: number;
  /** Breaks ties; the same seed gives the same order. */
  readonly random: Pick<Random, 'shuffle'>;
}

/**
 * φ_k: the pages of D_k in the order in which they are sent, first to last. A permutation of `dirty`, and a function of
 * its arguments alone: no clock, no other random numbers.
 */
export type PageOrder = (dirty: PageSet, context: OrderContext) => Uint32Array;

/** The heat by which an order compares pages: what must be learned of the guest before the migration starts. */
export const heatKinds = ['none', 'recency', 'frequency', 'probability'] as const;
export type HeatKind = (typeof heatKinds)[number];

/** A page order, and what a migration and the model must know of it. */
export interface OrderDefinition extends Named {
  readonly order: PageOrder;
  readonly heat: HeatKind;
  /**
   * Whether the heats of the other dirty pages decide where a page is sent, as in `threshold`. False: any two pages are
   * sent in the same order whatever else is dirty, as in `address`. The model, which knows of each page only how likely
   * it is to be dirty, relies on it.
   */
  readonly dependsOnOthers: boolean;
  /** The most pages of a guest that it takes; left out: any number. */
  readonly pagesMax?: number;
}
