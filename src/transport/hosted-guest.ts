import type { Retired } from './payloads.ts';

/** A guest at its destination: paused, and waiting for its memory. */
export interface HostedGuest {
  readonly memory: Uint8Array;
  /** Takes in what it is beyond its pages; a guest whose whole state lies in them has nothing of the kind. */
  load?(state: Buffer): Promise<void>;
  /** SHA-256 of all memory, in hexadecimal. */
  hash(): Promise<string>;
  /** The guest is this end's from here on: it runs, or stays paused. */
  takeOver(guestTimeNs: number, paused: boolean): Promise<void>;
  /** Stops the guest for good and says how far it came. @throws Failure something else is being done with it. */
  retire(): Promise<Retired>;
  /** Frees everything. */
  discard(): Promise<void>;
  /** Resolves when it is not here any more. */
  readonly gone: Promise<void>;
}
