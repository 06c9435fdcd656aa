import { formatDuration, NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../../units.ts';
import { stopWithin } from './downtime.ts';
import { stallWatch } from './stall-watch.ts';
import { type Progress, stopRuleDefinition } from './stop-rule.ts';

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
export const kubevirtStall = stopRuleDefinition({
  name: 'kubevirt-stall',
  describe: 'KubeVirt’s stall detection: QEMU’s rule under a modest limit until the rounds have stalled',
  defaults: {
    firstNs: 300 * NANOS_PER_MILLISECOND,
    limitNs: 900 * NANOS_PER_MILLISECOND,
    hopeless: 1.5,
    margin: 0.04,
    patienceNs: 40 * NANOS_PER_SECOND,
    decay: 0.5,
    alpha: 0.4,
    pollNs: 400 * NANOS_PER_MILLISECOND,
    switchoverNs: 60 * NANOS_PER_SECOND,
  },
  means: {
    firstNs: 'The limit of the downtime until a stall is seen, a time.',
    limitNs: 'The downtime allowed, a time: KubeVirt’s maxDowntimeMs.',
    hopeless:
      'KubeVirt’s precopyPossibleFactor: it gives up where the stop would take more than so many times the downtime allowed.',
    margin:
      'How near two amounts of pending memory must be to count as the same, as a share; 0.04 is four per cent.',
    patienceNs:
      'How long what is pending may take to improve, and then its best value to come again, a time.',
    decay: 'What `patience` is multiplied by each time it has run out.',
    alpha: 'KubeVirt’s ewmaAlpha: the weight of the newest sample of the bandwidth, from 0 to 1.',
    pollNs: 'Time from one sample of the bandwidth to the next.',
    switchoverNs: 'How long after the limit was raised the stop must have come, a time.',
  },
  withinRounds: true,
  ends: () => 'give up',
  rule: (spec) => {
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
      const answer = stopWithin(progress, limitNs, deadlineNs + 1);
      if (answer.decision === 'stop') return answer;
      // The end of any round may turn out to be the local minimum.
      if (progress.elapsedNs <= deadlineNs) return { ...answer, holdsAtEnds: false };
      return {
        decision: 'give up',
        reason: `no stop within ${formatDuration(spec.switchoverNs)} of the stall, stop.switchover`,
      };
    };
  },
});

/**
 * EWMA ← α·sample + (1−α)·EWMA, seeded with the first sample; 0 before it. Polls that have passed since the rule was last
 * asked found what was sent meanwhile, on average: n of them leave (1−α)^n of what was there.
 */
function bandwidthAverage({
  alpha,
  pollNs,
}: {
  alpha: number;
  pollNs: Nanos;
}): (progress: Progress) => number {
  let average = 0;
  let nextPollNs = pollNs;
  let last = { sentBytes: 0, elapsedNs: 0 };
  return ({ elapsedNs, sentBytes, bandwidthBytesPerSecond: sample }) => {
    if (elapsedNs < nextPollNs || sample === 0) return average;
    const passed = Math.floor((elapsedNs - nextPollNs) / pollNs);
    const between = ((sentBytes - last.sentBytes) * NANOS_PER_SECOND) / (elapsedNs - last.elapsedNs);
    if (between > 0 && average > 0) average = between + (1 - alpha) ** passed * (average - between);
    average = average === 0 ? sample : alpha * sample + (1 - alpha) * average;
    nextPollNs += (passed + 1) * pollNs;
    last = { sentBytes, elapsedNs };
    return average;
  };
}
