import type { z } from 'zod';
import { type Problem, shown, UsageError } from './problem.ts';

/**
 * What somebody wrote, by its schema, whose messages complete the sentence "expected …".
 * @param what the whole of it is called
 * @throws UsageError every problem with its path
 */
export function checked<T>(schema: z.ZodType<T>, raw: unknown, what: string): T {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue): Problem[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: [...path, key].join('.'),
        expected: 'no such key',
        found: shown(valueAt(raw, [...path, key])),
      }));
    }
    return [{ path: path.join('.') || what, expected: issue.message, found: shown(valueAt(raw, path)) }];
  });
  throw new UsageError(problems);
}

function valueAt(node: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], node);
}
