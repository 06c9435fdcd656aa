import { z } from 'zod';
import { inputLimits } from '../core/input-limits.ts';
import { writtenName } from '../core/migration/stop/registered-stop.ts';
import type { StopRuleDefinition } from '../core/migration/stop/stop-rule.ts';
import { type StopSpec, stopRuleRegistry } from '../core/migration/stop/stops.ts';
import { expected, NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import { jsonSchemaOf } from './json-schema.ts';
import { durationAboveZero, quantity, rate, whole } from './quantity.ts';
import { withKeysOf } from './schema-keys.ts';

const DEFAULT = 'rounds';
const LONGEST =
  'The longest stop that may begin, a time: if what is left would take longer at `stopRate`, the live rounds go on until it fits or the time-out has passed. Without it: the rule alone decides.';

/**
 * A stop rule as a scenario writes it: `{ rule: downtime, limit: 300ms }`. Made from the rule's own defaults: a
 * parameter `limitNs` is written `limit`, with a unit; a parameter that is left out has its default. Without a name
 * the rule is the paper's.
 */
function ruleSchema(definition: StopRuleDefinition) {
  const { name, describe, defaults, means = {} } = definition;
  const keys = Object.keys(defaults).map((parameter): [string, z.ZodType] => {
    const meaning = means[parameter] ?? `A parameter of ${name}.`;
    return [writtenName(parameter), parameterSchema(definition, parameter).describe(meaning)];
  });
  const rule = z.literal(name);
  return z
    .strictObject({
      rule: name === DEFAULT ? rule.optional() : rule,
      ...Object.fromEntries(keys),
      maxDowntime: durationAboveZero.optional().describe(LONGEST),
    })
    .transform((document): StopSpec => {
      const { maxDowntime: maxDowntimeNs } = document as { readonly maxDowntime?: Nanos };
      const parameters = Object.keys(defaults).map((parameter) => {
        return [parameter, (document as Record<string, unknown>)[writtenName(parameter)]];
      });
      // Every parameter of the rule is there, because the keys were made from its defaults.
      const spec = { rule: name, ...Object.fromEntries(parameters) } as StopSpec;
      return maxDowntimeNs === undefined ? spec : { ...spec, maxDowntimeNs };
    })
    .meta({ title: name, description: `${describe}.` });
}

function parameterSchema(
  { defaults, counts = [], mayBeZero = [], choices = {} }: StopRuleDefinition,
  parameter: string,
): z.ZodType {
  const value = defaults[parameter]!;
  const allowed = choices[parameter] as string[] | undefined;
  if (allowed) return z.enum(allowed, allowed.join(' or ')).default(String(value));
  if (parameter.endsWith('Ns')) return durationAboveZero.prefault(withUnit(Number(value)));
  if (parameter.endsWith('BytesPerSecond')) return rate.default(Number(value));
  if (parameter.endsWith('Bytes')) {
    return quantity('size', `${expected.size} above 0`, (bytes) => bytes > 0).default(Number(value));
  }
  const most = parameter === 'rounds' ? inputLimits.rounds : 1_000_000;
  if (counts.includes(parameter))
    return whole(mayBeZero.includes(parameter) ? 0 : 1, most).default(Number(value));
  return z.number('a number above 0').positive('a number above 0').default(Number(value));
}

function withUnit(ns: Nanos): string {
  if (ns % NANOS_PER_SECOND === 0) return `${ns / NANOS_PER_SECOND}s`;
  return `${ns / NANOS_PER_MILLISECOND}ms`;
}

let made: { readonly rules: number; readonly schema: z.ZodType<StopSpec> } | undefined;

/** All rules there are; made anew when one has been registered since. */
function allRules(): z.ZodType<StopSpec> {
  const { all, names } = stopRuleRegistry;
  if (made?.rules !== all.length) {
    const [first, ...others] = all.map(ruleSchema);
    const expectedRule = `a stop rule: ${names.join(', ')}`;
    made = {
      rules: all.length,
      schema: z.discriminatedUnion('rule', [first!, ...others], expectedRule),
    };
  }
  return made.schema;
}

export const stopSchema = withKeysOf(
  z
    .unknown()
    .transform((value, context): StopSpec => {
      const parsed = allRules().safeParse(value);
      if (parsed.success) return parsed.data;
      for (const issue of parsed.error.issues) context.addIssue({ ...issue } as never);
      return z.NEVER;
    })
    .meta({
      id: 'StopRule',
      title: 'Stop rule',
      /** What JSON Schema says of it, once somebody asks. */
      get oneOf() {
        return jsonSchemaOf(allRules()).oneOf;
      },
    }),
  allRules,
);
