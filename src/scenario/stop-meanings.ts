import type { StopRuleDefinition } from '../core/migration/stop/stop-rule.ts';

/** What stop rules and their parameters mean, in the words of a scenario: times have a unit there. */
const limit = 'The downtime that is aimed at, a time.';

const meanings: Readonly<Record<string, string>> = {
  rounds: 'The paper’s: so many live rounds, then the stop, whatever is left.',
  'rounds.rounds': 'K, how many live rounds.',
  downtime: 'QEMU’s: stop when what is pending takes less than the limit at the measured bandwidth.',
  'downtime.limit': `${limit} QEMU’s downtime-limit.`,
  xen: 'Xen’s: stop after so many rounds, or when few pages are dirty.',
  'xen.rounds': 'The most rounds.',
  'xen.pages': 'Stop when fewer pages than these are dirty.',
  phaul: 'CRIU’s p.haul: stop when a round sent little, or more than the one before it.',
  'phaul.rounds': 'The index, counted from 0, of the last round that may be sent.',
  'phaul.pages': 'Stop after a round that sent no more pages than these.',
  'phaul.growth': 'By how much a round may exceed the one before it; 0.1 is ten per cent.',
  'cloud-hypervisor':
    'Cloud Hypervisor’s: at the end of a round, stop if what is left takes no longer than the limit.',
  'cloud-hypervisor.limit': limit,
  'cloud-hypervisor.timeout': 'How long it may go on without that, a time.',
  'cloud-hypervisor.onTimeout':
    'What happens then. cancel: the guest stays at the source. ignore: it is stopped, however long that takes.',
  'nova-steps': 'OpenStack nova’s: QEMU’s rule under a limit that is raised in steps.',
  'nova-steps.limit': 'The last and largest limit of the downtime, a time.',
  'nova-steps.steps': 'In how many steps the limit is raised to that.',
  'nova-steps.delayPerGiB': 'Time from one step to the next for each GiB of the guest, at least 2 GiB.',
  'nova-steps.abortPerGiB': 'Time after which it gives up for each GiB of the guest, at least 2 GiB.',
  'proxmox-doubling': 'Proxmox’s: QEMU’s rule under a limit that is doubled when there is no progress.',
  'proxmox-doubling.limit': 'The first limit of the downtime, a time: Proxmox’s migrate_downtime.',
  'proxmox-doubling.polls': 'The limit is doubled when more polls than these found no progress.',
  'proxmox-doubling.poll': 'Time from one poll to the next.',
  'proxmox-doubling.nearPoll': 'The same once the end looks near.',
  'kubevirt-ramp': 'KubeVirt’s downtime tuning: QEMU’s rule under a limit that is raised in equal steps.',
  'kubevirt-ramp.first': 'The first limit of the downtime, a time.',
  'kubevirt-ramp.last': 'The last limit, a time.',
  'kubevirt-ramp.steps': 'How many equal raises lead from the first limit to the last.',
  'kubevirt-ramp.afterRound': 'The first raise waits for this round to begin.',
  'kubevirt-ramp.every': 'The least time between two raises, and before the first.',
  'kubevirt-stall':
    'KubeVirt’s stall detection: QEMU’s rule under a modest limit until the rounds have stalled.',
  'kubevirt-stall.first': 'The limit of the downtime until a stall is seen, a time.',
  'kubevirt-stall.limit': 'The downtime allowed, a time: KubeVirt’s maxDowntimeMs.',
  'kubevirt-stall.hopeless':
    'It gives up where the stop would take more than so many times the downtime allowed.',
  'kubevirt-stall.margin':
    'How near two amounts of pending memory must be to count as the same, as a share; 0.04 is four per cent.',
  'kubevirt-stall.patience':
    'How long what is pending may take to improve, and then its best value to come again, a time.',
  'kubevirt-stall.decay': 'What `patience` is multiplied by each time it has run out.',
  'kubevirt-stall.alpha': 'The weight of the newest sample of the bandwidth, from 0 to 1.',
  'kubevirt-stall.poll': 'Time from one sample of the bandwidth to the next.',
  'kubevirt-stall.switchover': 'How long after the limit was raised the stop must have come, a time.',
};

/** What a stop rule does, or what a parameter of it says. */
export function meaningOf({ name, describe }: StopRuleDefinition, parameter?: string): string {
  if (parameter === undefined) return meanings[name] ?? `${describe}.`;
  return meanings[`${name}.${parameter}`] ?? `A parameter of ${name}.`;
}
