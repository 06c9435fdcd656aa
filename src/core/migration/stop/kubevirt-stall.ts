import { formatDuration, NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../../units.ts';
import { stopWithin } from './downtime.ts';
import { type StallParameters, stallWatch } from './stall-watch.ts';
import type { Progress, StopRule } from './stop.ts';

export interface KubevirtStallSpec extends StallParameters {
  readonly rule: 'kubevirt-stall';
  /** QEMU's limit until a stall is seen. */
  readonly firstNs: Nanos;
  /** The downtime allowed: KubeVirt's `maxDowntimeMs`. */
  readonly limitNs: Nanos;
  /** KubeVirt's `precopyPossibleFactor`: beyond this many times the downtime allowed there is no hope. */
  readonly hopeless: number;
  /** KubeVirt's `ewmaAlpha`: the weight of the newest sample of the bandwidth, one being taken every `pollNs`. */
  readonly alpha: number;
  readonly pollNs: Nanos;
  /** How long after the limit was raised the stop must have come. */
  readonly switchoverNs: Nanos;
}

export const kubevirtStallDefaults: KubevirtStallSpec = {
  rule: 'kubevirt-stall',
  firstNs: 300 * NANOS_PER_MILLISECOND,
  limitNs: 900 * NANOS_PER_MILLISECOND,
  hopeless: 1.5,
  margin: 0.04,
  patienceNs: 40 * NANOS_PER_SECOND,
  decay: 0.5,
  alpha: 0.4,
  pollNs: 400 * NANOS_PER_MILLISECOND,
  switchoverNs: 60 * NANOS_PER_SECOND,
};

/**
 * KubeVirt's stall detection (VEP 248; virt-launcher's stallDetector.decideAction and
 * live-migration-source.go, its path without post-copy): QEMU's rule under a modest limit until the rounds
 * have stalled and one of them ends at a local minimum. There
 *
 *   implied downtime = pending / EWMA(bandwidth)
 *
 * decides: above 1.5 × the downtime allowed, give up; otherwise the limit becomes the downtime allowed. Up to
 * that the stop follows at once; between the two the guest has a minute to be lucky.
 */
export function kubevirtStall(spec: KubevirtStallSpec): StopRule {
  const average = bandwidthAverage(spec);
  const atLocalMinimum = stallWatch(spec);
  let limitNs = Math.min(spec.firstNs, spec.limitNs);
  let deadlineNs = Number.POSITIVE_INFINITY;
  return (progress) => {
    const bandwidth = average(progress);
    const searching = deadlineNs === Number.POSITIVE_INFINITY && bandwidth > 0;
    if (searching && progress.roundEnded && atLocalMinimum(progress.elapsedNs, progress.pendingBytes)) {
      const impliedNs = (progress.pendingBytes * NANOS_PER_SECOND) / bandwidth;
      if (impliedNs > spec.hopeless * spec.limitNs) {
        return { decision: 'give up', reason: `stalled ${formatDuration(impliedNs)} from the end` };
      }
      limitNs = spec.limitNs;
      deadlineNs = progress.elapsedNs + spec.switchoverNs;
    }
    const verdict = stopWithin(progress, limitNs);
    if (verdict || progress.elapsedNs <= deadlineNs) return verdict;
    return {
      decision: 'give up',
      reason: `no stop within ${formatDuration(spec.switchoverNs)} of the stall`,
    };
  };
}

/** EWMA ← α·sample + (1−α)·EWMA, seeded with the first sample; 0 before it. */
function bandwidthAverage(spec: KubevirtStallSpec): (progress: Progress) => number {
  let average = 0;
  let nextPollNs = spec.pollNs;
  return ({ elapsedNs, bandwidthBytesPerSecond: sample }) => {
    if (elapsedNs >= nextPollNs && sample > 0) {
      average = average === 0 ? sample : spec.alpha * sample + (1 - spec.alpha) * average;
      nextPollNs = elapsedNs + spec.pollNs;
    }
    return average;
  };
}
