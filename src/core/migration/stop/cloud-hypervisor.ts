import { formatDuration, NANOS_PER_MILLISECOND, NANOS_PER_SECOND } from '../../units.ts';
import { remainingNs } from './downtime.ts';
import { stopRuleDefinition } from './stop-rule.ts';

/**
 * Cloud Hypervisor's rule (vmm/src/lib.rs, is_precopy_converged; the estimate is made in
 * vm-migration/src/context.rs, update_metrics_before_transfer): before round k is sent,
 *
 *   estimated downtime = bytes_k / bandwidth_{k−1} ≤ limit,
 *
 * bytes being those of memory: what devices add to the stop is not in it. Only if that fails is the clock looked at.
 * A working set that the link cannot drain below the limit keeps it going until the timeout, an hour, since nothing
 * notices that the rounds no longer shrink.
 */
export const cloudHypervisor = stopRuleDefinition({
  name: 'cloud-hypervisor',
  describe: 'Cloud Hypervisor’s: at the end of a round, stop if what is left takes no longer than the limit',
  defaults: {
    limitNs: 300 * NANOS_PER_MILLISECOND,
    timeoutNs: 3600 * NANOS_PER_SECOND,
    onTimeout: 'cancel' as 'cancel' | 'ignore',
  },
  choices: { onTimeout: ['cancel', 'ignore'] },
  means: {
    limitNs: 'The downtime that is aimed at, a time.',
    timeoutNs: 'How long it may go on without that, a time.',
    onTimeout:
      'What happens then. cancel: the guest stays at the source. ignore: it is stopped, however long that takes.',
  },
  withinRounds: false,
  ends: ({ onTimeout }) => (onTimeout === 'cancel' ? 'give up' : 'stop'),
  rule: (spec) => (progress) => {
    if (!progress.roundEnded) return undefined;
    const estimateNs = remainingNs(progress);
    if (estimateNs <= spec.limitNs) {
      const limit = formatDuration(spec.limitNs);
      return { decision: 'stop', reason: `estimated downtime ${formatDuration(estimateNs)}, limit ${limit}` };
    }
    if (progress.elapsedNs < spec.timeoutNs) {
      const pendingBelowBytes = (progress.bandwidthBytesPerSecond * spec.limitNs) / NANOS_PER_SECOND;
      return { decision: 'go on', pendingBelowBytes, atNs: spec.timeoutNs, holdsAtEnds: true };
    }
    const decision = spec.onTimeout === 'cancel' ? 'give up' : 'stop';
    return { decision, reason: `not converged within ${formatDuration(spec.timeoutNs)}, stop.timeout` };
  },
});
