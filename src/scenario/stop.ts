import { z } from 'zod';
import { writtenName } from '../core/migration/stop/registered-stop.ts';
import type { StopRuleDefinition } from '../core/migration/stop/stop.ts';
import { type StopSpec, stopRuleRegistry } from '../core/migration/stop/stops.ts';
import { expected, parseDuration, parseRate, parseSize } from '../core/units.ts';
import { quantity, whole } from './quantity.ts';

/**
 * A stop rule as a scenario writes it: `{ rule: downtime, limit: 300ms }`. Made from the rule's own defaults: a
 * parameter `limitNs` is written `limit`, with a unit; a parameter that is left out has its default.
 */
function ruleSchema({ name, defaults, counts = [], choices = {} }: StopRuleDefinition) {
  const keys = Object.entries(defaults).map(([parameter, value]): [string, z.ZodType] => [
    writtenName(parameter),
    parameterSchema(
      parameter,
      choices[parameter] as string[] | undefined,
      counts.includes(parameter),
    ).default(value),
  ]);
  return z.strictObject({ rule: z.literal(name), ...Object.fromEntries(keys) }).transform((document) => {
    const parameters = Object.keys(defaults).map((parameter) => {
      return [parameter, (document as Record<string, unknown>)[writtenName(parameter)]];
    });
    // Every parameter of the rule is there, because the keys were made from its defaults.
    return { rule: name, ...Object.fromEntries(parameters) } as StopSpec;
  });
}

function parameterSchema(
  parameter: string,
  choices: readonly string[] | undefined,
  isCount: boolean,
): z.ZodType {
  const isPositive = (value: number) => value > 0;
  if (choices) return z.enum(choices, choices.join(' or '));
  if (parameter.endsWith('Ns')) return quantity(parseDuration, `${expected.duration} above 0`, isPositive);
  if (parameter.endsWith('BytesPerSecond')) return quantity(parseRate, expected.rate);
  if (parameter.endsWith('Bytes')) return quantity(parseSize, `${expected.size} above 0`, isPositive);
  return isCount ? whole(1, 1_000_000) : z.number('a number above 0').positive('a number above 0');
}

const schemas = new Map<string, z.ZodType<StopSpec>>();

/** A rule's own schema, made when it is first asked for: it may have been registered since this file was loaded. */
function schemaOf(definition: StopRuleDefinition): z.ZodType<StopSpec> {
  const made = schemas.get(definition.name) ?? ruleSchema(definition);
  schemas.set(definition.name, made);
  return made;
}

/** Without a name the rule is the paper's. */
export const stopSchema = z
  .unknown()
  .transform((value, context): StopSpec => {
    const isObject = typeof value === 'object' && value !== null;
    const document = isObject && !('rule' in value) ? { rule: 'rounds', ...value } : value;
    const name = isObject ? (document as { rule?: unknown }).rule : undefined;
    const definition = typeof name === 'string' ? stopRuleRegistry.find(name) : undefined;
    if (definition) {
      const parsed = schemaOf(definition).safeParse(document);
      if (parsed.success) return parsed.data;
      for (const issue of parsed.error.issues) context.addIssue({ ...issue } as never);
    } else {
      const message = `a stop rule: ${stopRuleRegistry.names.join(', ')}`;
      context.addIssue({ code: 'custom', message, path: isObject ? ['rule'] : [] });
    }
    return z.NEVER;
  })
  .meta({
    /** What JSON Schema says of it, once somebody asks. */
    get anyOf() {
      return stopRuleRegistry.all.map((rule) => {
        const { $schema: _, ...schema } = z.toJSONSchema(schemaOf(rule), { io: 'input' });
        return schema;
      });
    },
  });
