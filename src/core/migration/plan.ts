import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../units.ts';
import type { OrderName } from './order/orders.ts';
import type { StopSpec } from './stop/stops.ts';

/** The policy of one migration: pure data, nothing in it depends on a world. */
export interface Plan {
  readonly pages: number;
  /** P + H: what a page costs on the link, its header included. */
  readonly pageBytes: Bytes;
  readonly order: OrderName;
  /** Whether heats are estimated from what was observed or known from the guest's program. */
  readonly heat: 'estimated' | 'known';
  /** Pages written with at least this probability in one sampling window wait for the stop. */
  readonly defer: { readonly threshold: number } | null;
  /** When a page's dirty bit is cleared: as the page itself is sent. */
  readonly clear: 'page';
  readonly stop: StopSpec;
  /** b; null: not reserved, as fast as it goes. */
  readonly rateBytesPerSecond: BytesPerSecond | null;
  /** b_d. */
  readonly stopRateBytesPerSecond: BytesPerSecond | null;
  readonly depthBytes: Bytes;
  /** How long the guest is watched before the migration starts, when anything in the plan needs its history. */
  readonly observeNs: Nanos;
  /** w: the sampling window of the observation. */
  readonly windowNs: Nanos;
  readonly halfLifeNs: Nanos;
  /** `full`: hash every byte on both sides while the guest stands. */
  readonly verify: 'checksums' | 'full';
  /** Breaks ties between pages of equal heat. */
  readonly seed: number;
}

/** w / T, the slot being T = (P + H) / b; without a reservation a slot takes no time that the plan could know. */
export function slotsPerWindow(plan: Plan): number {
  const rate = plan.rateBytesPerSecond ?? Number.POSITIVE_INFINITY;
  return (plan.windowNs * rate) / (plan.pageBytes * NANOS_PER_SECOND);
}
