import type { Nanos } from '../units.ts';
import type { Reservation } from './reservation.ts';

/** |served − U·window| / (U·window) over consecutive windows in all of which the server had work. */
export interface ShareError {
  readonly median: number;
  readonly p99: number;
}

/** What one CPU reservation was promised, and what it was given. */
export interface ServerRecord extends Reservation {
  readonly name: string;
  readonly servedNs: Nanos;
  /** null, as with the longer windows: it never had work for so long. */
  readonly shareErrorPerPeriod: ShareError | null;
  readonly shareErrorPerTenPeriods: ShareError | null;
  /** The median. */
  readonly shareErrorPerSecond: number | null;
  /** Of the periods at whose deadline the server had work, those that left budget unserved. */
  readonly missedPeriods: number;
  /** Of the missed, those in which the machine itself was stalled. */
  readonly missedByMachine: number;
  /** Deadlines that passed while the server had work. */
  readonly periods: number;
  /** The longest time without service while it had work. */
  readonly longestBlackoutNs: Nanos;
}
