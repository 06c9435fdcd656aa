import { type CloudHypervisorSpec, cloudHypervisor, cloudHypervisorDefaults } from './cloud-hypervisor.ts';
import { type DowntimeSpec, downtime, downtimeDefaults } from './downtime.ts';
import { type KubevirtRampSpec, kubevirtRamp, kubevirtRampDefaults } from './kubevirt-ramp.ts';
import { type KubevirtStallSpec, kubevirtStall, kubevirtStallDefaults } from './kubevirt-stall.ts';
import { type NovaStepsSpec, novaSteps, novaStepsDefaults } from './nova-steps.ts';
import { type PhaulSpec, phaul, phaulDefaults } from './phaul.ts';
import { type ProxmoxDoublingSpec, proxmoxDoubling, proxmoxDoublingDefaults } from './proxmox-doubling.ts';
import { type RoundsSpec, rounds, roundsDefaults } from './rounds.ts';
import type { StopRule } from './stop.ts';
import { type XenSpec, xen, xenDefaults } from './xen.ts';

/** A stop rule by name, with its parameters. */
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

/** A new rule is one file, one line in the union and one in each table. */
const rules: { readonly [Name in StopRuleName]: (spec: SpecOf<Name>) => StopRule } = {
  rounds,
  downtime,
  xen,
  phaul,
  'cloud-hypervisor': cloudHypervisor,
  'nova-steps': novaSteps,
  'proxmox-doubling': proxmoxDoubling,
  'kubevirt-ramp': kubevirtRamp,
  'kubevirt-stall': kubevirtStall,
};

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

const onlyAtRoundEnds: readonly StopRuleName[] = ['rounds', 'xen', 'phaul', 'cloud-hypervisor'];

/** Whether the rule looks at what is pending also within a round. */
export function looksWithinRounds(spec: StopSpec): boolean {
  return !onlyAtRoundEnds.includes(spec.rule);
}

export const stopRuleNames = Object.keys(rules) as StopRuleName[];

/** The rule that a plan names. */
export function stopRule(spec: StopSpec): StopRule {
  // The table pairs every name with the rule of its own spec; the compiler forgets that pairing over a union.
  const make = rules[spec.rule] as (spec: StopSpec) => StopRule;
  return make(spec);
}
