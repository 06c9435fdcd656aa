import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND } from '../../units.ts';
import { stopWithin } from './downtime.ts';
import { stopRuleDefinition } from './stop-rule.ts';

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
export const kubevirtRamp = stopRuleDefinition({
  name: 'kubevirt-ramp',
  describe: 'KubeVirt’s downtime tuning: QEMU’s rule under a limit that is raised in equal steps',
  defaults: {
    firstNs: 150 * NANOS_PER_MILLISECOND,
    lastNs: 1050 * NANOS_PER_MILLISECOND,
    steps: 7,
    afterRound: 3,
    everyNs: 10 * NANOS_PER_SECOND,
  },
  counts: ['steps', 'afterRound'],
  means: {
    firstNs: 'The first limit of the downtime, a time.',
    lastNs: 'The last limit, a time.',
    steps: 'How many equal raises lead from the first limit to the last.',
    afterRound: 'The first raise waits for this round to begin.',
    everyNs: 'The least time between two raises, and before the first.',
  },
  withinRounds: true,
  rule: (spec) => {
    let raises = 0;
    let changedAtNs = 0;
    return (progress) => {
      const round = progress.rounds.length + 1;
      const due = round >= spec.afterRound && progress.elapsedNs - changedAtNs >= spec.everyNs;
      if (due && raises < spec.steps) {
        raises += 1;
        changedAtNs = progress.elapsedNs;
      }
      const limitNs = spec.firstNs + ((spec.lastNs - spec.firstNs) * raises) / spec.steps;
      const raisesAgain = raises < spec.steps;
      const isLate = round >= spec.afterRound;
      const answer = stopWithin(
        progress,
        limitNs,
        raisesAgain && isLate ? changedAtNs + spec.everyNs : undefined,
      );
      return raisesAgain && !isLate ? { ...answer, holdsAtEnds: false } : answer;
    };
  },
});
