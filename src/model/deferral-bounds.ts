import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';

/** What is held back for the stop: `pages` pages, each written in a slot with a probability of at least `threshold`. */
export interface Deferral {
  readonly pages: number;
  /** π_thr, per slot T = (P + H)/b, not per sampling window. */
  readonly threshold: number;
  readonly pageBytes: Bytes;
  readonly rateBytesPerSecond: BytesPerSecond;
  readonly stopRateBytesPerSecond: BytesPerSecond;
}

export interface ExpectedTimes {
  readonly downtimeNs: Nanos;
  readonly totalNs: Nanos;
}

/**
 * What E[t_d] and E[t_tot] can become at most when F is held back, K = 1 (Checconi, Cucinotta and Stein, §4, the
 * bound on the total in its tight form):
 *
 *   E[t_d']   ≤ E[t_d] + |F|·(1 − π_thr)·(P + H)/b_d
 *   E[t_tot'] ≤ E[t_tot] − |F|·(P + H)/b + |F|·(1 − π_thr)·(P + H)/b_d
 *
 * A page of F is certainly dirty at the stop; sent, it would have been so with probability 1 − (1 − π)^e ≥ π_thr, so
 * it loses at most 1 − π_thr, and as the round is |F| slots shorter the others lose nothing. Equal when F is one
 * page, of exactly π_thr, that would have been sent last, and no other page is ever written.
 */
export function withDeferral(expected: ExpectedTimes, deferral: Deferral): ExpectedTimes {
  const { pages, threshold, pageBytes, rateBytesPerSecond, stopRateBytesPerSecond } = deferral;
  const heldBackNs = (pages * pageBytes * NANOS_PER_SECOND) / stopRateBytesPerSecond;
  const savedNs = (pages * pageBytes * NANOS_PER_SECOND) / rateBytesPerSecond;
  const lostNs = (1 - threshold) * heldBackNs;
  return { downtimeNs: expected.downtimeNs + lostNs, totalNs: expected.totalNs - savedNs + lostNs };
}
