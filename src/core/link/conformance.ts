import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../units.ts';

/**
 * Was a link reservation obeyed? Over all intervals [s, t] that begin and end at a departure,
 *
 *   excess(s, t) = bytes sent in [s, t] − (depth + ∫ rate)
 *
 * and the worst is at most 0 when the reservation held. With A(t) = bytes sent − ∫ rate, the worst excess is
 * the largest rise of A from just before one departure to just after a later one: one pass, constant memory.
 */
export interface Conformance {
  readonly depthBytes: Bytes;
  readonly sentBytes: Bytes;
  readonly worstExcess: number;
  readonly atNs: Nanos;
  /** A just after the last departure. */
  readonly ahead: number;
  /** The least A just before any departure so far. */
  readonly leastAhead: number;
}

export function conformance(depthBytes: Bytes, now: Nanos): Conformance {
  return { depthBytes, sentBytes: 0, worstExcess: -depthBytes, atNs: now, ahead: 0, leastAhead: 0 };
}

/** The account after `bytes` left at `at`, the rate since the last departure having been `rate`. */
export function departed(account: Conformance, at: Nanos, bytes: Bytes, rate: BytesPerSecond): Conformance {
  const before = account.ahead - (rate * (at - account.atNs)) / NANOS_PER_SECOND;
  const leastAhead = account.sentBytes === 0 ? before : Math.min(account.leastAhead, before);
  const ahead = before + bytes;
  return {
    depthBytes: account.depthBytes,
    sentBytes: account.sentBytes + bytes,
    worstExcess: Math.max(account.worstExcess, ahead - leastAhead - account.depthBytes),
    atNs: at,
    ahead,
    leastAhead,
  };
}

/** The worst excess in whole bytes, rounded up past a thousandth of a byte, which is the arithmetic's own error. */
export function worstExcessBytes(account: Conformance): Bytes {
  return Math.ceil(account.worstExcess - 1e-3) + 0;
}
