import { formatDuration, NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../../units.ts';
import { type Progress, stopRuleDefinition, type Verdict } from './stop-rule.ts';

/**
 * QEMU's rule (migration/migration.c: migration_update_counters sets threshold_size, migration_iteration_run
 * tests it): stop at the moment at which
 *
 *   pending < bandwidth × limit,
 *
 * within a round as well as at its end. It never gives up: a guest that dirties its memory faster than the
 * link carries it is followed for ever, which is why nova, Proxmox and KubeVirt raise the limit meanwhile.
 */
export const downtime = stopRuleDefinition({
  name: 'downtime',
  describe: 'QEMU’s: stop when what is pending takes less than the limit at the measured bandwidth',
  defaults: {
    limitNs: 300 * NANOS_PER_MILLISECOND,
  },
  means: { limitNs: 'The downtime that is aimed at, a time. QEMU’s downtime-limit.' },
  withinRounds: true,
  rule: (spec) => (progress) => stopWithin(progress, spec.limitNs),
});

/**
 * QEMU's test, against a limit that may have moved. Pending is also what the devices have to send once they stand
 * (hw/vfio/migration.c, vfio_state_pending_exact: must_precopy += stop_copy_size); the time that they take besides QEMU
 * does not know. Nothing pending is always little enough; while no bandwidth has been seen yet, nothing else is.
 */
export function stopWithin(progress: Progress, limitNs: Nanos): Verdict | undefined {
  const pendingBytes = progress.pendingBytes + progress.deviceBytes;
  const leftNs = remainingNs({ pendingBytes, bandwidthBytesPerSecond: progress.bandwidthBytesPerSecond });
  if (pendingBytes > 0 && leftNs >= limitNs) return undefined;
  return { decision: 'stop', reason: `${formatDuration(leftNs)} left, limit ${formatDuration(limitNs)}` };
}

/** How long sending the pending bytes would take at the bandwidth seen: the downtime that is predicted. */
export function remainingNs({
  pendingBytes,
  bandwidthBytesPerSecond,
}: Pick<Progress, 'pendingBytes' | 'bandwidthBytesPerSecond'>): Nanos {
  return pendingBytes === 0 ? 0 : (pendingBytes * NANOS_PER_SECOND) / bandwidthBytesPerSecond;
}
