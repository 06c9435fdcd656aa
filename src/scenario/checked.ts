import type { z } from 'zod';
import { type Problem, shown, UsageError } from '../platform/problem.ts';

/**
 * What a user wrote, as its schema leaves it. Messages of schemas complete the sentence "expected …".
 * @param what the whole of it is called: for what is wrong with it as such
 * @param within before all paths in it, where it is itself a part of something
 * @throws UsageError every problem with its path
 */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  raw: unknown,
  what: string,
  within: readonly string[] = [],
): z.infer<Schema> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const pathOf = (path: readonly string[]) => [...within, ...path].join('.') || what;
  const problems = parsed.error.issues.flatMap((issue): Problem[] => {
    const path = issue.path.map(String);
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({
        path: pathOf([...path, key]),
        expected: 'no such key',
        found: shown(valueAt(raw, [...path, key])),
      }));
    }
    return [{ path: pathOf(path), expected: issue.message, found: shown(valueAt(raw, path)) }];
  });
  throw new UsageError(problems);
}

function valueAt(node: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], node);
}
