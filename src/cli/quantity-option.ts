import { expected, parseDuration, parseRate, parseSize } from '../core/units.ts';
import { usageError } from '../platform/problem.ts';

const parsers = { duration: parseDuration, rate: parseRate, size: parseSize } as const;

/** The value of an option, in ns, bytes/s or bytes. @throws UsageError it is none, or 0 */
export function quantityOf(
  kind: keyof typeof parsers,
  flag: string,
  text: string | undefined,
): number | undefined {
  if (text === undefined) return undefined;
  const value = parsers[kind](text);
  if (value !== undefined && value > 0) return value;
  throw usageError(flag, `${expected[kind]} above 0`, text);
}
