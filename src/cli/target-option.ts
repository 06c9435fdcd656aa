import { usageError } from '../platform/problem.ts';
import { expectedTarget, parseTarget, type Target } from '../scenario/target.ts';

/** The value of --target. @throws UsageError it is none */
export function targetOf(text: string): Target {
  const target = parseTarget(text);
  if (target) return target;
  throw usageError('--target', expectedTarget, text);
}
