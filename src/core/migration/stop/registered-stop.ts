import { type InsistOn, ofUsersCode, RegisteredCodeFailed } from '../../registry.ts';
import type { GoOn, StopParameters, StopRule, StopRuleDefinition, Verdict } from './stop-rule.ts';

/** How a scenario writes the name of a parameter: without its unit, which the value has. */
export function writtenName(parameter: string): string {
  return parameter.replace(/(?:Ns|Bytes|BytesPerSecond)$/, '');
}

/** Insists on what a stop rule has besides a name. */
export function checkStopRule<Parameters extends StopParameters>(
  {
    defaults,
    counts = [],
    mayBeZero = [],
    choices = {},
    means = {},
    withinRounds,
    rule,
  }: StopRuleDefinition<Parameters>,
  insist: InsistOn,
): void {
  const isTable = typeof defaults === 'object' && defaults !== null;
  insist(isTable, 'defaults', 'an object, {} if the rule has no parameters', defaults);
  insist(typeof withinRounds === 'boolean', 'withinRounds', 'true or false', withinRounds);
  insist(typeof rule === 'function', 'rule', 'a function', rule);
  const names = Object.keys(isTable ? defaults : {});
  for (const name of [...counts, ...mayBeZero, ...Object.keys(choices), ...Object.keys(means)]) {
    insist(
      names.includes(name),
      'counts, mayBeZero, choices, means',
      `parameters (${names.join(', ')})`,
      name,
    );
  }
  const zeros: readonly string[] = mayBeZero;
  const written = ['rule', 'maxDowntime', ...names.map(writtenName)];
  for (const name of names) {
    const taken = written.indexOf(writtenName(name)) !== written.lastIndexOf(writtenName(name));
    insist(!taken, `defaults.${name}`, 'a name of its own in scenarios', writtenName(name));
    const value: number | string = defaults[name]!;
    const allowed: readonly unknown[] | undefined = choices[name];
    if (allowed) {
      insist(allowed.includes(value), `defaults.${name}`, `one of ${allowed.join(', ')}`, value);
    } else {
      const isZero = value === 0 && zeros.includes(name);
      const isPositive = typeof value === 'number' && value > 0 && value < Number.POSITIVE_INFINITY;
      insist(isPositive || isZero, `defaults.${name}`, 'a number above 0, or a text with choices', value);
      const fits = !counts.includes(name) || Number.isInteger(value);
      insist(fits, `defaults.${name}`, 'a whole number, as counts says', value);
    }
  }
}

/** The rule of a definition that is not ours. @throws RegisteredCodeFailed it throws, or returns no verdict */
export function guardedRule<Parameters extends StopParameters>(
  { name, rule }: StopRuleDefinition<Parameters>,
  parameters: Parameters,
): StopRule {
  const what = `stop rule '${name}'`;
  const asked = ofUsersCode(what, () => rule(parameters));
  return (progress) => {
    const answer = ofUsersCode(what, () => asked(progress));
    if (answer === undefined || isVerdict(answer) || isGoOn(answer)) return answer;
    throw new RegisteredCodeFailed(
      `${what} must return undefined, { decision: 'stop' or 'give up', reason } or { decision: 'go on', pendingBelowBytes, atNs }, not ${JSON.stringify(answer)}`,
    );
  };
}

function isVerdict(verdict: unknown): verdict is Verdict {
  const { decision, reason } = (verdict ?? {}) as Partial<Verdict>;
  return (decision === 'stop' || decision === 'give up') && typeof reason === 'string';
}

function isGoOn(answer: unknown): answer is GoOn {
  const { decision, ...when } = (answer ?? {}) as Partial<GoOn>;
  const isFromZero = (value: unknown) => typeof value === 'number' && value >= 0;
  return decision === 'go on' && isFromZero(when.pendingBelowBytes) && isFromZero(when.atNs);
}
