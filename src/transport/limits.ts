/** What a destination grants to whoever connects. */
export interface Limits {
  /** Connections at once. */
  readonly connections: number;
  /** Of these, the ones that have not said who they are: no proof where a key is asked for, no hello elsewhere. */
  readonly unauthenticated: number;
  /** How long one may stay unauthenticated. */
  readonly unauthenticatedMs: number;
  /** Later, how long the source may be silent although something is expected of it. */
  readonly silenceMs: number;
}

export const defaultLimits: Limits = {
  connections: 16,
  unauthenticated: 8,
  unauthenticatedMs: 10_000,
  silenceMs: 60_000,
};

/** A destination is given up that says nothing for so long although something is expected of it, or takes nothing. */
export const SILENCE_MS = 30_000;

/** A source with nothing to say says so this often, so that its silence is never mistaken for its absence. */
export const ALIVE_MS = 20_000;
