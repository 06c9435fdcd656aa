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

type OwnRule<Spec> = Pick<StopRuleDefinition, 'describe' | 'counts' | 'choices' | 'withinRounds'> & {
  readonly rule: (spec: Spec) => StopRule;
};

/** The stop rules of this program. A new one is one file, one line in the union and one entry in each table. */
const own: { readonly [Name in StopRuleName]: OwnRule<SpecOf<Name>> } = {
  rounds: {
    describe: "so many live rounds, whatever is left: the paper's",
    counts: ['rounds'],
    withinRounds: false,
    rule: rounds,
  },
  downtime: { describe: "what is left fits the limit: QEMU's", withinRounds: true, rule: downtime },
  xen: {
    describe: "so many rounds, or few pages dirty: Xen's",
    counts: ['rounds', 'pages'],
    withinRounds: false,
    rule: xen,
  },
  phaul: {
    describe: "few pages sent, growing rounds, or so many of them: CRIU's",
    counts: ['rounds', 'pages'],
    withinRounds: false,
    rule: phaul,
  },
  'cloud-hypervisor': {
    describe: "the estimate of a round fits the limit: Cloud Hypervisor's",
    choices: { onTimeout: ['cancel', 'ignore'] },
    withinRounds: false,
    rule: cloudHypervisor,
  },
  'nova-steps': {
    describe: "QEMU's under a limit that grows with time: OpenStack nova's",
    counts: ['steps'],
    withinRounds: true,
    rule: novaSteps,
  },
  'proxmox-doubling': {
    describe: "QEMU's under a limit that doubles when nothing improves: Proxmox's",
    counts: ['polls'],
    withinRounds: true,
    rule: proxmoxDoubling,
  },
  'kubevirt-ramp': {
    describe: "QEMU's under a limit raised in steps: KubeVirt's downtime tuning",
    counts: ['steps', 'afterRound'],
    withinRounds: true,
    rule: kubevirtRamp,
  },
  'kubevirt-stall': {
    describe: "QEMU's until the rounds stall at a local minimum: KubeVirt's stall detection",
    withinRounds: true,
    rule: kubevirtStall,
  },
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
export function registerStopRule<const Parameters extends StopParameters>(
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
