import type { Bytes, Nanos } from '../../units.ts';

export interface StallParameters {
  /** KubeVirt's `stallMargin`: how near two amounts of pending bytes must be to count as the same; 0.04 is four per cent. */
  readonly margin: number;
  /** KubeVirt's `progressTimeout`: how long the pending bytes may take to improve, then the best of them to recur. */
  readonly patienceNs: Nanos;
  /** KubeVirt's `patienceWindowDecayFactor`: the patience is multiplied by it each time that it has run out. */
  readonly decay: number;
}

/** Told what is pending at the end of each round; answers whether to stop here or hope for a better one. */
export type StallWatch = (nowNs: Nanos, pendingBytes: Bytes) => boolean;

/**
 * KubeVirt's watch for a local minimum (VEP 248; virt-launcher's stallDetector: updateCandidates,
 * checkStallCondition, relaxBestRemainingBytes, isAtLocalMinima). The rounds have stalled when
 *
 *   pending ≥ (1 − margin) × the best of at least `patience` ago.
 *
 * From then on they sway around some level, and a round that ends at pending ≤ (1 + margin) × the best is as
 * good as any to come. A best that does not recur within the patience gives way to the best since the stall
 * began, each of those serving once, and the patience shrinks: so the search ends even if the guest has moved
 * to a higher level for good.
 */
export function stallWatch({ margin, patienceNs, decay }: StallParameters): StallWatch {
  const recent: { readonly atNs: Nanos; readonly pendingBytes: Bytes }[] = [];
  const sinceStall: Bytes[] = [];
  let longAgoBytes = Number.POSITIVE_INFINITY;
  let bestBytes = Number.POSITIVE_INFINITY;
  let waitNs = patienceNs;
  let relaxAtNs: Nanos | undefined;
  return (nowNs, pendingBytes) => {
    if (relaxAtNs === undefined) {
      for (let old = recent[0]; old && nowNs - old.atNs >= patienceNs; old = recent[0]) {
        longAgoBytes = Math.min(longAgoBytes, old.pendingBytes);
        recent.shift();
      }
      recent.push({ atNs: nowNs, pendingBytes });
      bestBytes = Math.min(bestBytes, pendingBytes);
      if (pendingBytes < (1 - margin) * longAgoBytes) return false;
      relaxAtNs = nowNs + waitNs;
    } else {
      sinceStall.push(pendingBytes);
      if (nowNs >= relaxAtNs) {
        bestBytes = sinceStall.sort((a, b) => a - b).shift() ?? bestBytes;
        waitNs *= decay;
        relaxAtNs = nowNs + waitNs;
      }
    }
    return pendingBytes <= (1 + margin) * bestBytes;
  };
}
