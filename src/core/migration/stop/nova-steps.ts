import { formatDuration, NANOS_PER_MILLISECOND, NANOS_PER_SECOND } from '../../units.ts';
import { stopWithin } from './downtime.ts';
import { stopRuleDefinition } from './stop-rule.ts';

/** Smaller guests are given as much time as one of 2 GiB (nova/conf/libvirt.py). */
const LEAST_GIB = 2;

/**
 * OpenStack nova's rule (nova/virt/libvirt/migration.py: downtime_steps, update_downtime and
 * should_trigger_timeout_action, formerly should_abort): QEMU's rule under a limit that grows with time t,
 *
 *   limit(i) = L/s + i·(L − L/s)/s,  i = ⌊t / (delay × GiB)⌋, at most s:
 *
 * so s steps are s + 1 limits, the first of them L/s. Past the completion timeout, nova aborts.
 */
export const novaSteps = stopRuleDefinition({
  name: 'nova-steps',
  describe: 'OpenStack nova’s: QEMU’s rule under a limit that is raised in steps',
  defaults: {
    limitNs: 500 * NANOS_PER_MILLISECOND,
    steps: 10,
    delayPerGiBNs: 75 * NANOS_PER_SECOND,
    abortPerGiBNs: 800 * NANOS_PER_SECOND,
  },
  counts: ['steps'],
  means: {
    limitNs: 'The last and largest limit of the downtime, a time.',
    steps: 'In how many steps the limit is raised to that.',
    delayPerGiBNs: 'Time from one step to the next for each GiB of the guest, at least 2 GiB.',
    abortPerGiBNs: 'Time after which it gives up for each GiB of the guest, at least 2 GiB.',
  },
  withinRounds: true,
  ends: () => 'give up',
  rule: (spec) => {
    const firstNs = spec.limitNs / spec.steps;
    const raiseNs = (spec.limitNs - firstNs) / spec.steps;
    return (progress) => {
      const gib = Math.max(LEAST_GIB, progress.guestBytes / 2 ** 30);
      const delayNs = spec.delayPerGiBNs * gib;
      const step = Math.min(spec.steps, Math.floor(progress.elapsedNs / delayNs));
      const raisedAtNs = step < spec.steps ? (step + 1) * delayNs : Number.POSITIVE_INFINITY;
      const timeoutNs = spec.abortPerGiBNs * gib;
      const answer = stopWithin(progress, firstNs + step * raiseNs, Math.min(raisedAtNs, timeoutNs + 1));
      if (answer.decision === 'stop' || progress.elapsedNs <= timeoutNs) return answer;
      return {
        decision: 'give up',
        reason: `not completed after ${formatDuration(timeoutNs)}, stop.abortPerGiB`,
      };
    };
  },
});
