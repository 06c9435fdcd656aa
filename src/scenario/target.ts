import { z } from 'zod';
import { formatDuration, type Nanos, parseDuration } from '../core/units.ts';

/** What is to be kept, with a probability: a migration that does not complete keeps nothing. */
export interface TargetClause {
  readonly metric: (typeof targetMetrics)[number];
  readonly limitNs: Nanos;
  readonly probability: number;
}

/** All of it is to be kept; of each metric there is one clause at most. */
export type Target = readonly TargetClause[];

export const targetMetrics = ['downtime', 'total'] as const;
const DEFAULT_PROBABILITY = '0.99';

export const expectedTarget =
  'a target such as downtime<=200ms@0.99, total<=30s@0.95: what (downtime, total), a time above 0, and a probability between 0 and 1 (without it 0.99)';

const CLAUSE = /^\s*([a-z]+)\s*(?:<=|≤|<)\s*([^@]+?)\s*(?:@\s*([\d.]+)\s*(%?))?\s*$/i;

/** `downtime <= 200ms @ 0.99, total <= 30s @ 0.95`. `undefined`: it is no target. */
export function parseTarget(text: string): Target | undefined {
  const clauses = text.split(',').map(parseClause);
  const metrics = new Set(clauses.map((clause) => clause?.metric));
  if (metrics.has(undefined) || metrics.size < clauses.length) return undefined;
  return clauses as TargetClause[];
}

function parseClause(text: string): TargetClause | undefined {
  const [, name = '', time = '', share = DEFAULT_PROBABILITY, percent] = CLAUSE.exec(text) ?? [];
  const metric = targetMetrics.find((one) => one === name.toLowerCase());
  const limitNs = parseDuration(time);
  const probability = Number(share) / (percent ? 100 : 1);
  const isOne = metric !== undefined && limitNs !== undefined && limitNs > 0;
  return isOne && probability > 0 && probability < 1 ? { metric, limitNs, probability } : undefined;
}

export function formatTarget(target: Target): string {
  return target.map(formatClause).join(', ');
}

export function formatClause({ metric, limitNs, probability }: TargetClause): string {
  return `${metric} <= ${formatDuration(limitNs)} @ ${probability}`;
}

export const targetSchema = z
  .string(expectedTarget)
  .meta({ examples: ['downtime<=200ms@0.99', 'downtime<=200ms@0.99, total<=30s@0.95'] })
  .transform((text, context): Target => {
    const target = parseTarget(text);
    if (target) return target;
    context.addIssue({ code: 'custom', message: expectedTarget });
    return z.NEVER;
  })
  .optional();
