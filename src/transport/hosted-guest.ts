import type { SegmentedMemory } from '../platform/segmented-memory.ts';
import type { Retired } from './payloads.ts';

/** A guest at its destination: paused, and waiting for its memory. */
export interface HostedGuest {
  readonly memory: SegmentedMemory;
  /** Loads its device state. Not there for a guest whose whole state is in its pages. */
  load?(state: Buffer): Promise<void>;
  /** SHA-256 of all memory, in hexadecimal. */
  hash(): Promise<string>;
  /** This end owns the guest from here on: it runs, or stays paused. */
  takeOver(guestTimeNs: number, paused: boolean): Promise<void>;
  /**
   * Stops the guest for good and says how far it came.
   * @throws Failure something else is being done with it, and it stays; or that is not possible, and it has ended
   */
  retire(): Promise<Retired>;
  /** Frees everything. */
  discard(): Promise<void>;
  /** Resolves when it has left. */
  readonly gone: Promise<void>;
}
