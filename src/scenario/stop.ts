import { z } from 'zod';
import { type StopSpec, stopDefaults, stopRuleNames } from '../core/migration/stop/stops.ts';
import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import { durationAboveZero, whole } from './quantity.ts';
import { meaningOf } from './stop-meanings.ts';

/**
 * Stop rules as a scenario writes them: `{ rule: downtime, limit: 300ms }`. Made from the rules' own defaults: a
 * parameter `limitNs` is written `limit`, with a unit; a parameter that is left out has its original's value. Without
 * a name the rule is the paper's.
 */
function ruleSchema(name: string, { rule: _, ...defaults }: StopSpec) {
  const keys = Object.entries(defaults).map(([parameter, value]): [string, z.ZodType] => [
    written(parameter),
    parameterSchema(parameter, value).describe(meaningOf(name, written(parameter))),
  ]);
  const rule = z.literal(name);
  return z
    .strictObject({ rule: name === DEFAULT ? rule.optional() : rule, ...Object.fromEntries(keys) })
    .transform(
      (document): StopSpec =>
        Object.fromEntries(
          Object.entries({ rule: name, ...defaults }).map(([parameter, value]) => [
            parameter,
            parameter === 'rule' ? value : (document as Record<string, unknown>)[written(parameter)],
          ]),
          // Every parameter of the rule is there, because the keys were made from its defaults.
        ) as unknown as StopSpec,
    )
    .meta({ title: name, description: meaningOf(name) });
}

const DEFAULT = 'rounds';

function written(parameter: string): string {
  return parameter.replace(/Ns$/, '');
}

const counts = ['rounds', 'pages', 'polls', 'steps', 'afterRound'];

function parameterSchema(parameter: string, value: string | number): z.ZodType {
  if (typeof value === 'string')
    return z.enum(['cancel', 'ignore'], 'cancel or ignore').default(value as 'cancel');
  if (parameter.endsWith('Ns')) return durationAboveZero.prefault(withUnit(value));
  if (counts.includes(parameter)) return whole(1, 1_000_000).default(value);
  return z.number('a number above 0').positive('a number above 0').default(value);
}

function withUnit(ns: Nanos): string {
  if (ns % NANOS_PER_SECOND === 0) return `${ns / NANOS_PER_SECOND}s`;
  return `${ns / NANOS_PER_MILLISECOND}ms`;
}

const [first, ...others] = stopRuleNames.map((name) => ruleSchema(name, stopDefaults[name]));

export const stopSchema = z
  .discriminatedUnion('rule', [first!, ...others], `a stop rule: ${stopRuleNames.join(', ')}`)
  .meta({ id: 'StopRule', title: 'Stop rule' });
