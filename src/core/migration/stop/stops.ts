import { Registry } from '../../registry.ts';
import { type CloudHypervisorSpec, cloudHypervisor, cloudHypervisorDefaults } from './cloud-hypervisor.ts';
import { type DowntimeSpec, downtime, downtimeDefaults } from './downtime.ts';
import { type KubevirtRampSpec, kubevirtRamp, kubevirtRampDefaults } from './kubevirt-ramp.ts';
import { type KubevirtStallSpec, kubevirtStall, kubevirtStallDefaults } from './kubevirt-stall.ts';
import { type NovaStepsSpec, novaSteps, novaStepsDefaults } from './nova-steps.ts';
import { type PhaulSpec, phaul, phaulDefaults } from './phaul.ts';
import { type ProxmoxDoublingSpec, proxmoxDoubling, proxmoxDoublingDefaults } from './proxmox-doubling.ts';
import { checkStopRule, guardedRule } from './registered-stop.ts';
import { type RoundsSpec, rounds, roundsDefaults } from './rounds.ts';
import type { StopParameters, StopRule, StopRuleDefinition } from './stop.ts';
import { type XenSpec, xen, xenDefaults } from './xen.ts';

/** A stop rule by name, with its parameters. Those of registered rules are such, too, though the compiler lists only ours. */
export type StopSpec =
  | RoundsSpec
  | DowntimeSpec
  | XenSpec
  | PhaulSpec
  | CloudHypervisorSpec
  | NovaStepsSpec
  | ProxmoxDoublingSpec
  | KubevirtRampSpec
  | KubevirtStallSpec;

export type StopRuleName = StopSpec['rule'];
type SpecOf<Name extends StopRuleName> = Extract<StopSpec, { rule: Name }>;

/** The parameters of each rule as its original has them: what a scenario need not say. */
export const stopDefaults: { readonly [Name in StopRuleName]: SpecOf<Name> } = {
  rounds: roundsDefaults,
  downtime: downtimeDefaults,
  xen: xenDefaults,
  phaul: phaulDefaults,
  'cloud-hypervisor': cloudHypervisorDefaults,
  'nova-steps': novaStepsDefaults,
  'proxmox-doubling': proxmoxDoublingDefaults,
  'kubevirt-ramp': kubevirtRampDefaults,
  'kubevirt-stall': kubevirtStallDefaults,
};

type Said = Pick<StopRuleDefinition, 'describe' | 'counts' | 'choices' | 'means'>;

/** Asked when a round has ended. */
function atRoundEnds<Spec>(rule: (spec: Spec) => StopRule, said: Said) {
  return { rule, withinRounds: false, ...said };
}

/** Asked all the time. */
function continuously<Spec>(rule: (spec: Spec) => StopRule, said: Said) {
  return { rule, withinRounds: true, ...said };
}

/** The stop rules of this program. A new one is one file, one line in the union and one entry in each table. */
const own: { readonly [Name in StopRuleName]: { readonly rule: (spec: SpecOf<Name>) => StopRule } } = {
  rounds: atRoundEnds(rounds, {
    describe: 'The paper’s: so many live rounds, then the stop, whatever is left',
    counts: ['rounds'],
    means: { rounds: 'K, how many live rounds.' },
  }),
  downtime: continuously(downtime, {
    describe: 'QEMU’s: stop when what is pending takes less than the limit at the measured bandwidth',
    means: { limitNs: 'The downtime that is aimed at, a time. QEMU’s downtime-limit.' },
  }),
  xen: atRoundEnds(xen, {
    describe: 'Xen’s: stop after so many rounds, or when few pages are dirty',
    counts: ['rounds', 'pages'],
    means: {
      rounds: 'The most rounds.',
      pages: 'Stop when fewer pages than these are dirty.',
    },
  }),
  phaul: atRoundEnds(phaul, {
    describe: 'CRIU’s p.haul: stop when a round sent little, or more than the one before it',
    counts: ['rounds', 'pages'],
    means: {
      rounds: 'The index, counted from 0, of the last round that may be sent.',
      pages: 'Stop after a round that sent no more pages than these.',
      growth: 'By how much a round may exceed the one before it; 0.1 is ten per cent.',
    },
  }),
  'cloud-hypervisor': atRoundEnds(cloudHypervisor, {
    describe:
      'Cloud Hypervisor’s: at the end of a round, stop if what is left takes no longer than the limit',
    choices: { onTimeout: ['cancel', 'ignore'] },
    means: {
      limitNs: 'The downtime that is aimed at, a time.',
      timeoutNs: 'How long it may go on without that, a time.',
      onTimeout:
        'What happens then. cancel: the guest stays at the source. ignore: it is stopped, however long that takes.',
    },
  }),
  'nova-steps': continuously(novaSteps, {
    describe: 'OpenStack nova’s: QEMU’s rule under a limit that is raised in steps',
    counts: ['steps'],
    means: {
      limitNs: 'The last and largest limit of the downtime, a time.',
      steps: 'In how many steps the limit is raised to that.',
      delayPerGiBNs: 'Time from one step to the next for each GiB of the guest, at least 2 GiB.',
      abortPerGiBNs: 'Time after which it gives up for each GiB of the guest, at least 2 GiB.',
    },
  }),
  'proxmox-doubling': continuously(proxmoxDoubling, {
    describe: 'Proxmox’s: QEMU’s rule under a limit that is doubled when there is no progress',
    counts: ['polls'],
    means: {
      limitNs: 'The first limit of the downtime, a time: Proxmox’s migrate_downtime.',
      polls: 'The limit is doubled when more polls than these found no progress.',
      pollNs: 'Time from one poll to the next.',
      nearPollNs: 'The same once the end looks near.',
    },
  }),
  'kubevirt-ramp': continuously(kubevirtRamp, {
    describe: 'KubeVirt’s downtime tuning: QEMU’s rule under a limit that is raised in equal steps',
    counts: ['steps', 'afterRound'],
    means: {
      firstNs: 'The first limit of the downtime, a time.',
      lastNs: 'The last limit, a time.',
      steps: 'How many equal raises lead from the first limit to the last.',
      afterRound: 'The first raise waits for this round to begin.',
      everyNs: 'The least time between two raises, and before the first.',
    },
  }),
  'kubevirt-stall': continuously(kubevirtStall, {
    describe: 'KubeVirt’s stall detection: QEMU’s rule under a modest limit until the rounds have stalled',
    means: {
      firstNs: 'The limit of the downtime until a stall is seen, a time.',
      limitNs: 'The downtime allowed, a time: KubeVirt’s maxDowntimeMs.',
      hopeless: 'It gives up where the stop would take more than so many times the downtime allowed.',
      margin:
        'How near two amounts of pending memory must be to count as the same, as a share; 0.04 is four per cent.',
      patienceNs:
        'How long what is pending may take to improve, and then its best value to come again, a time.',
      decay: 'What `patience` is multiplied by each time it has run out.',
      alpha: 'The weight of the newest sample of the bandwidth, from 0 to 1.',
      pollNs: 'Time from one sample of the bandwidth to the next.',
      switchoverNs: 'How long after the limit was raised the stop must have come, a time.',
    },
  }),
};

export const stopRuleNames = Object.keys(own) as StopRuleName[];

/** Every stop rule, those that users registered among them. */
export const stopRuleRegistry = new Registry<StopRuleDefinition>(
  'stop rule',
  stopRuleNames.map((name) => {
    const { rule: _, ...defaults } = stopDefaults[name];
    // The tables pair every name with the rule of its own spec; the compiler forgets that pairing over a union.
    return { name, defaults, ...own[name] } as unknown as StopRuleDefinition;
  }),
);

/**
 * Adds a stop rule, which can then be named wherever one of ours can: in a plan, in a scenario, in `compare`.
 * What it returns is checked whenever it is asked.
 * @returns makes what `Plan.stop` takes: the rule with these parameters, and the defaults of the others
 * @throws BadDefinition all that is wrong with it, or its name is taken
 */
export function registerStopRule<Parameters extends StopParameters>(
  definition: StopRuleDefinition<Parameters>,
): (parameters?: Partial<Parameters>) => StopSpec {
  const rule = (parameters: Parameters) => guardedRule(definition, parameters);
  const guarded = { ...definition, rule } as unknown as StopRuleDefinition;
  stopRuleRegistry.add(guarded, (insist) => checkStopRule(definition, insist));
  const { name, defaults } = definition;
  return (parameters = {}) => ({ rule: name, ...defaults, ...parameters }) as unknown as StopSpec;
}

/** Whether the rule looks at what is pending also within a round. */
export function looksWithinRounds(spec: StopSpec): boolean {
  return stopRuleRegistry.get(spec.rule).withinRounds;
}

/** The rule that a plan names. @throws UnknownName */
export function stopRule({ rule, ...parameters }: StopSpec): StopRule {
  return stopRuleRegistry.get(rule).rule(parameters as StopParameters);
}
