import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../../units.ts';
import { stopWithin } from './downtime.ts';
import type { StopRule } from './stop.ts';

export interface KubevirtRampSpec {
  readonly rule: 'kubevirt-ramp';
  readonly firstNs: Nanos;
  readonly lastNs: Nanos;
  /** How many equal raises lead from the first limit to the last. */
  readonly steps: number;
  /** The first raise waits for this round to begin: KubeVirt's `startAfterIteration`. */
  readonly afterRound: number;
  /** The least time between two raises, and before the first. */
  readonly everyNs: Nanos;
}

export const kubevirtRampDefaults: KubevirtRampSpec = {
  rule: 'kubevirt-ramp',
  firstNs: 150 * NANOS_PER_MILLISECOND,
  lastNs: 1050 * NANOS_PER_MILLISECOND,
  steps: 7,
  afterRound: 3,
  everyNs: 10 * NANOS_PER_SECOND,
};

/**
 * KubeVirt's downtime tuning (VEP 291; live-migration-source.go, tuneDowntime): QEMU's rule, its limit raised
 *
 *   from first to last in equal steps, one every 10 s, none before round 3.
 *
 * The raises wait for the rounds so that the bulk copy, which says nothing about convergence, uses none of
 * them up. The proposal and the code differ, and this is the code: there the 10 s run from the last change of
 * the limit, so after a long bulk copy the first raise comes as round 3 begins (the proposal waits 10 s
 * more); and seven steps are seven raises of 129 ms (the proposal's timetable shows six of 150 ms).
 * KubeVirt's general timeouts are not part of it: like QEMU's rule it never gives up.
 */
export function kubevirtRamp(spec: KubevirtRampSpec): StopRule {
  let raises = 0;
  let changedAtNs = 0;
  return (progress) => {
    const round = progress.rounds.length + 1;
    const due = round >= spec.afterRound && progress.elapsedNs - changedAtNs >= spec.everyNs;
    if (due && raises < spec.steps) {
      raises += 1;
      changedAtNs = progress.elapsedNs;
    }
    return stopWithin(progress, spec.firstNs + ((spec.lastNs - spec.firstNs) * raises) / spec.steps);
  };
}
