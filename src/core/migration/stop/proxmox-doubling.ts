import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND } from '../../units.ts';
import { stopWithin } from './downtime.ts';
import { stopRuleDefinition } from './stop-rule.ts';

/**
 * Proxmox's rule (PVE/QemuMigrate.pm, phase2): QEMU's rule, watched once a second by `query-migrate`. A poll
 * found no progress when bytes were sent since the last one and yet more are pending than then, or when nothing
 * is pending and there is no stop all the same, because the devices have too much. The sixth
 * such poll doubles the limit, without bound; they need not be consecutive, because progress in between does
 * not reset their count, only a doubling does.
 *
 * As soon as less is pending than was sent per poll on average, the polls follow each other every 100 ms, and
 * for good: from there on a guest that does not converge sees its limit doubled within a second or two.
 */
export const proxmoxDoubling = stopRuleDefinition({
  name: 'proxmox-doubling',
  describe: 'Proxmox’s: QEMU’s rule under a limit that is doubled when there is no progress',
  defaults: {
    limitNs: 100 * NANOS_PER_MILLISECOND,
    polls: 5,
    pollNs: NANOS_PER_SECOND,
    nearPollNs: 100 * NANOS_PER_MILLISECOND,
  },
  counts: ['polls'],
  means: {
    limitNs: 'The first limit of the downtime, a time: Proxmox’s migrate_downtime.',
    polls: 'The limit is doubled when more polls than these found no progress.',
    pollNs: 'Time from one poll to the next.',
    nearPollNs: 'The same once the end looks near.',
  },
  withinRounds: true,
  rule: (spec) => {
    let limitNs = spec.limitNs;
    let pollNs = spec.pollNs;
    let nextPollNs = pollNs;
    let polls = 0;
    let withoutProgress = 0;
    let last = { sentBytes: 0, pendingBytes: 0 };
    return (progress) => {
      if (progress.elapsedNs >= nextPollNs) {
        const { sentBytes, pendingBytes } = progress;
        polls += 1;
        // QEMU writes a marker at the end of each iteration, so that it always sends something.
        const isOut = pendingBytes === 0;
        if (sentBytes > last.sentBytes || isOut) {
          if (pendingBytes < last.sentBytes / polls) pollNs = spec.nearPollNs;
          const isMore = last.pendingBytes > 0 && pendingBytes > last.pendingBytes;
          if (isMore || isOut) withoutProgress += 1;
          if (withoutProgress > spec.polls) {
            withoutProgress = 0;
            limitNs *= 2;
          }
          last = { sentBytes, pendingBytes };
        }
        nextPollNs = progress.elapsedNs + pollNs;
      }
      return stopWithin(progress, limitNs, nextPollNs);
    };
  },
});
