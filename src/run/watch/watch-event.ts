import type { Nanos } from '../../core/units.ts';
import type { Progress } from './followed-migration.ts';

/** How a migration ended, in QEMU's words; unknown: QEMU ended first, or could not be asked any more. */
export type WatchedOutcome = 'completed' | 'failed' | 'cancelled' | 'unknown';

/** What happens to a QEMU that is watched, and to the migrations out of it. */
export type MonitorEvent =
  | { readonly event: 'connected'; readonly status: string }
  | { readonly event: 'lost'; readonly reason: string }
  | { readonly event: 'began' }
  | ({ readonly event: 'progress' } & Progress)
  | ({ readonly event: 'ended' } & WatchedEnd);

export type WatchEvent = {
  /** When, in ISO 8601. */
  readonly time: string;
  /** Its socket, as it was given. */
  readonly monitor: string;
} & MonitorEvent;

/** What is left to say of a migration that has ended. */
export interface WatchedEnd {
  readonly outcome: WatchedOutcome;
  /** Both as QEMU says them, of a migration that it completed. */
  readonly totalNs: Nanos | null;
  readonly downtimeNs: Nanos | null;
  readonly sentBytes: number | null;
  readonly syncs: number | null;
  readonly reason: string | null;
}
