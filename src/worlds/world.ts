import type { Slice } from '../core/cpu/slice.ts';
import type { Ceiling } from '../core/link/ceiling.ts';
import type { MigrationResult } from '../core/migration/migration-result.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';

/** One migration's world: has the clock, the link and the guest, and carries out the migration's steps. */
export interface World {
  /** Never throws for what a migration may meet: it answers `failed`, and then expects `abort`. */
  perform(step: Step): Promise<StepResult>;
  /** Where the migration is somebody else's, who takes no steps: carries out all of it and says how it went. */
  migrate?(): Promise<MigrationResult>;
  /** ISO 8601; in virtual time there is no date, and it is the epoch. */
  readonly startedAt: string;
  /**
   * What the link allows from now on, instead of all that was said before; instants count from now. A ceiling of 0 has
   * the next pages refused: `revoked`.
   */
  allow(ceilings: readonly Ceiling[]): void;
  /**
   * Ends the migration, where that takes time: its record will say `cancelled`.
   * @returns whether it will; it does not once the guest has been given away
   */
  cancel?(why: string): boolean;
  /** Who had a processor when, in the world's own time, as far as that was recorded. */
  slices(): readonly Slice[];
  /** Frees everything: processes, threads, sockets. */
  close(): Promise<void>;
}
