import { Registry } from '../../registry.ts';
import type { Nanos } from '../../units.ts';
import { cloudHypervisor } from './cloud-hypervisor.ts';
import { downtime } from './downtime.ts';
import { kubevirtRamp } from './kubevirt-ramp.ts';
import { kubevirtStall } from './kubevirt-stall.ts';
import { novaSteps } from './nova-steps.ts';
import { phaul } from './phaul.ts';
import { proxmoxDoubling } from './proxmox-doubling.ts';
import { checkStopRule, guardedRule } from './registered-stop.ts';
import { rounds } from './rounds.ts';
import type { StopParameters, StopRule, StopRuleDefinition } from './stop-rule.ts';
import { xen } from './xen.ts';

/** The stop rules of this program. A new one is one file, and one word here. */
const own = [
  ...[rounds, downtime, xen, phaul, cloudHypervisor],
  ...[novaSteps, proxmoxDoubling, kubevirtRamp, kubevirtStall],
] as const;

type SpecOf<Definition> = Definition extends {
  readonly name: infer Name;
  readonly defaults: infer Parameters;
}
  ? { readonly rule: Name } & Readonly<Parameters>
  : never;

/**
 * A stop rule by name, with its parameters: `{ rule: 'xen', rounds: 5, pages: 50 }`. Those of registered rules are such,
 * too, though the compiler lists only ours. Any rule may have the longest stop that may begin, `maxDowntimeNs`.
 */
export type StopSpec = SpecOf<(typeof own)[number]> & { readonly maxDowntimeNs?: Nanos };

/** Every stop rule, those that users registered among them. */
export const stopRuleRegistry = new Registry<StopRuleDefinition>(
  'stop rule',
  // Each rule takes the parameters of its own; the compiler forgets that over a union.
  own as unknown as readonly StopRuleDefinition[],
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

/**
 * Whether the rule sooner or later ends every migration. Where a longest downtime may keep it from stopping, only a rule that
 * gives up does. @throws UnknownName
 */
export function endsByItself({ rule, maxDowntimeNs, ...parameters }: StopSpec): boolean {
  const ending = stopRuleRegistry.get(rule).ends?.(parameters as StopParameters);
  return ending === 'give up' || (ending === 'stop' && maxDowntimeNs === undefined);
}

/** The rule that a plan names. @throws UnknownName */
export function stopRule({ rule, maxDowntimeNs: _, ...parameters }: StopSpec): StopRule {
  return stopRuleRegistry.get(rule).rule(parameters as StopParameters);
}
