import type { z } from 'zod';
import { type Problem, shown, UsageError } from './problem.ts';

/**
 * What a user wrote, as its schema leaves it. Messages of schemas complete the sentence "expected …".
 * @param where the path of the whole: for what is wrong with it as such, and before all paths within it unless it is
 *   a scenario, whose keys are known by themselves
 * @throws UsageError every problem with its path
 */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  raw: unknown,
  where: 'scenario' | 'sweep' | 'stress',
): z.infer<Schema> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const within = where === 'scenario' ? [] : [where];
  const pathOf = (path: readonly string[]) => [...within, ...path].join('.') || where;
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
