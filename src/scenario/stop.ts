import { z } from 'zod';
import {
  type StopRuleName,
  type StopSpec,
  stopDefaults,
  stopRuleNames,
} from '../core/migration/stop/stops.ts';
import { expected, parseDuration } from '../core/units.ts';
import { quantity } from './quantity.ts';

/**
 * Stop rules as a scenario writes them: `{ rule: downtime, limit: 300ms }`. Made from the rules' own defaults: a
 * parameter `limitNs` is written `limit`, with a unit; a parameter that is left out has its original's value.
 */
function ruleSchema(name: StopRuleName) {
  const { rule: _, ...defaults } = stopDefaults[name];
  const keys = Object.entries(defaults).map(([parameter, value]): [string, z.ZodType] => {
    if (parameter.endsWith('Ns')) {
      const time = quantity(parseDuration, `${expected.duration} above 0`, (ns) => ns > 0);
      return [written(parameter), time.default(value as number)];
    }
    if (typeof value === 'string')
      return [parameter, z.enum(['cancel', 'ignore'], 'cancel or ignore').default('cancel')];
    return [parameter, parameterSchema(parameter, value as number)];
  });
  return z.strictObject({ rule: z.literal(name), ...Object.fromEntries(keys) }).transform(
    (document): StopSpec =>
      Object.fromEntries(
        Object.entries({ rule: name, ...defaults }).map(([parameter]) => [
          parameter,
          (document as Record<string, unknown>)[written(parameter)],
        ]),
        // Every parameter of the rule is there, because the keys were made from its defaults.
      ) as unknown as StopSpec,
  );
}

function written(parameter: string): string {
  return parameter.replace(/Ns$/, '');
}

const counts = ['rounds', 'pages', 'polls', 'steps', 'afterRound'];

function parameterSchema(parameter: string, value: number): z.ZodType {
  if (!counts.includes(parameter)) {
    return z.number('a number above 0').positive('a number above 0').default(value);
  }
  const message = 'a whole number from 1 to 1000000';
  return z.int(message).min(1, message).max(1_000_000, message).default(value);
}

const [first, ...others] = stopRuleNames.map(ruleSchema);
const rules = z.discriminatedUnion('rule', [first!, ...others], `a stop rule: ${stopRuleNames.join(', ')}`);

/** Without a name the rule is the paper's. */
export const stopSchema = z.preprocess(
  (value) =>
    typeof value === 'object' && value !== null && !('rule' in value) ? { rule: 'rounds', ...value } : value,
  rules,
);
