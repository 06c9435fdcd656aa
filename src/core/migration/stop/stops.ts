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

type Extra = Pick<StopRuleDefinition, 'counts' | 'choices'>;

/** Asked when a round has ended. */
function atRoundEnds<Spec>(rule: (spec: Spec) => StopRule, describe: string, extra: Extra = {}) {
  return { describe, rule, withinRounds: false, ...extra };
}

/** Asked all the time. */
function continuously<Spec>(rule: (spec: Spec) => StopRule, describe: string, extra: Extra = {}) {
  return { describe, rule, withinRounds: true, ...extra };
}

/** The stop rules of this program. A new one is one file, one line in the union and one in each table. */
const own: { readonly [Name in StopRuleName]: { readonly rule: (spec: SpecOf<Name>) => StopRule } } = {
  rounds: atRoundEnds(rounds, "the paper's: so many live rounds", { counts: ['rounds'] }),
  downtime: continuously(downtime, "QEMU's: what is left fits the limit"),
  xen: atRoundEnds(xen, "Xen's: few pages dirty, or so many rounds", { counts: ['rounds', 'pages'] }),
  phaul: atRoundEnds(phaul, "CRIU's: few pages sent, rounds that grow, or so many", {
    counts: ['rounds', 'pages'],
  }),
  'cloud-hypervisor': atRoundEnds(cloudHypervisor, "Cloud Hypervisor's: the estimate fits the limit", {
    choices: { onTimeout: ['cancel', 'ignore'] },
  }),
  'nova-steps': continuously(novaSteps, "nova's: QEMU's, its limit raised with time", { counts: ['steps'] }),
  'proxmox-doubling': continuously(proxmoxDoubling, "Proxmox's: QEMU's, its limit doubled when it is stuck", {
    counts: ['polls'],
  }),
  'kubevirt-ramp': continuously(kubevirtRamp, "KubeVirt's: QEMU's, its limit raised in steps", {
    counts: ['steps', 'afterRound'],
  }),
  'kubevirt-stall': continuously(
    kubevirtStall,
    "KubeVirt's: QEMU's, until the rounds stall at a local minimum",
  ),
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
