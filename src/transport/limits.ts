/** What a destination grants to its peers. */
export interface Limits {
  /** Connections at once. */
  readonly connections: number;
  /** How many of these may be unauthenticated: without a proof where a key is required, without a hello elsewhere. */
  readonly unauthenticated: number;
  /** How long one may stay unauthenticated. */
  readonly unauthenticatedMs: number;
  /** Later, how long the source may be silent while the destination waits for it. */
  readonly silenceMs: number;
  /** How often the source, which waits, is told that the destination is still at work on a guest's memory. */
  readonly aliveMs: number;
}

export const defaultLimits: Limits = {
  connections: 16,
  unauthenticated: 8,
  unauthenticatedMs: 10_000,
  silenceMs: 60_000,
  aliveMs: 10_000,
};

/** A source gives up a destination that does not answer, or accepts no data, for so long. */
export const SILENCE_MS = 30_000;

/** How often a source with nothing to send sends a sign of life, so that the destination does not give it up. */
export const ALIVE_MS = 20_000;
