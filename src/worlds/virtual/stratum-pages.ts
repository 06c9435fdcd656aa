import type { DepartureRun } from '../../core/link/bucket.ts';
import type { Nanos } from '../../core/units.ts';

/** How many pages of a stratum are in which state (core/migration/lumped/lumped-pages.ts), as of the last draw. */
export interface StratumPages {
  readonly owed: number;
  readonly dirtyAgain: number;
  readonly dirty: number;
  /** Draws what was written until the guest has run for so long. */
  draw(ranNs: Nanos): void;
  /** The migration starts: all are dirty. */
  track(): void;
  /** A harvest takes the dirty bits. */
  take(): void;
  /** It was the turn of so many that are dirty again: they wait for the next round. */
  passOver(pages: number): void;
  /** So many of those that are owed were sent, and keep their dirty bits. `areClean`: only those that are not dirty again. */
  send(pages: number, areClean: boolean): void;
  /** The same, but each one's bit was cleared as it left; by now the guest has run for so long. */
  sendCleared(pages: number, departures: readonly DepartureRun[], ranNs: Nanos): void;
}
