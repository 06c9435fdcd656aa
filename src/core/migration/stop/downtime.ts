import { formatDuration, NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../../units.ts';
import { type GoOn, type Progress, stopRuleDefinition, type Verdict } from './stop-rule.ts';

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
 * @param holdsUntilNs how long the limit is this one; for ever, if nothing is said
 */
export function stopWithin(
  { pendingBytes, deviceBytes, bandwidthBytesPerSecond }: Progress,
  limitNs: Nanos,
  holdsUntilNs: Nanos = Number.POSITIVE_INFINITY,
): Verdict | GoOn {
  const allBytes = pendingBytes + deviceBytes;
  const leftNs = remainingNs({ pendingBytes: allBytes, bandwidthBytesPerSecond });
  if (allBytes > 0 && leftNs >= limitNs) {
    const levelBytes = (bandwidthBytesPerSecond * limitNs) / NANOS_PER_SECOND;
    const pendingBelowBytes = Math.max(0, levelBytes - deviceBytes);
    return { decision: 'go on', pendingBelowBytes, atNs: holdsUntilNs, holdsAtEnds: true };
  }
  return { decision: 'stop', reason: `${formatDuration(leftNs)} left, limit ${formatDuration(limitNs)}` };
}

/** How long sending the pending bytes would take at the bandwidth seen: the downtime that is predicted. */
export function remainingNs({
  pendingBytes,
  bandwidthBytesPerSecond,
}: Pick<Progress, 'pendingBytes' | 'bandwidthBytesPerSecond'>): Nanos {
  return pendingBytes === 0 ? 0 : (pendingBytes * NANOS_PER_SECOND) / bandwidthBytesPerSecond;
}
