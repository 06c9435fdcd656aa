import { type Bytes, type BytesPerSecond, formatDuration, NANOS_PER_SECOND, type Nanos } from '../units.ts';
import type { Device } from './device.ts';
import type { OrderName } from './order/orders.ts';
import type { StopSpec } from './stop/stops.ts';

/**
 * When dirty bits are cleared: a page's as it is sent; those of a chunk of neighbours when the first of them is
 * sent (QEMU, default 2^18 pages); or all at once when the round starts (classic log-dirty, Xen).
 */
export type Clear = 'page' | 'round' | { readonly chunkPages: number };

/** What is held back for the stop: pages written with this probability in a window, or the hottest so many. */
export type Defer = { readonly threshold: number } | { readonly count: number };

/** The policy of one migration: pure data, nothing in it depends on a world. */
export interface Plan {
  readonly pages: number;
  /** P + H: what a page costs on the link, its header included. */
  readonly pageBytes: Bytes;
  readonly order: OrderName;
  /** Whether heats are estimated from what was observed or known from the guest's program. */
  readonly heat: 'estimated' | 'known';
  readonly defer: Defer | null;
  readonly clear: Clear;
  /** Xen's send rule: a page that is dirty again before its turn waits for the next round. */
  readonly skip: boolean;
  readonly stop: StopSpec;
  /** Not converged by then: the migration gives up. null: it has no such limit. */
  readonly timeoutNs: Nanos | null;
  /** Where that comes from, for whoever reads that it has passed. Not there: from the plan. */
  readonly timeoutFrom?: string | undefined;
  /** What happens then. `stop`: the guest is stopped and moves, whatever is left. Not there: `cancel`. */
  readonly onTimeout?: 'cancel' | 'stop' | undefined;
  /** The longest that the guest may be paused; after that it runs on at the source. */
  readonly stopTimeoutNs: Nanos;
  /** b; null: not reserved, as fast as it goes. */
  readonly rateBytesPerSecond: BytesPerSecond | null;
  /** b_d. */
  readonly stopRateBytesPerSecond: BytesPerSecond | null;
  /** Nothing is reserved: b and b_d are the link's capacity, of which the ledger says how much is this migration's. */
  readonly isElastic?: boolean | undefined;
  readonly depthBytes: Bytes;
  /** How long the guest is watched before the migration starts, when anything in the plan needs its history. */
  readonly observeNs: Nanos;
  /** w: the sampling window of the observation. */
  readonly windowNs: Nanos;
  readonly halfLifeNs: Nanos;
  /** `full`: hash every byte on both sides while the guest is paused. */
  readonly verify: 'checksums' | 'full';
  /** What every stop takes beyond pages; without it: nothing. */
  readonly device?: Device | undefined;
  /** Breaks ties between pages of equal heat. */
  readonly seed: number;
}

/** What the record says when the guest has been paused for too long. */
export function pausedTooLong({ stopTimeoutNs }: Plan): string {
  return `the guest was paused for ${formatDuration(stopTimeoutNs)}, as long as migration.stopTimeout allows`;
}

/** w / T, the slot being T = (P + H) / b; without a reservation a slot takes no time that the plan could know. */
export function slotsPerWindow(plan: Plan): number {
  const rate = plan.rateBytesPerSecond ?? Number.POSITIVE_INFINITY;
  return (plan.windowNs * rate) / (plan.pageBytes * NANOS_PER_SECOND);
}
