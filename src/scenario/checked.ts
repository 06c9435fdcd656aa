import type { z } from 'zod';
import { type Problem, shown, UsageError } from '../platform/problem.ts';
import { meantKey } from './schema-keys.ts';

type Path = readonly PropertyKey[];
type Issue = z.core.$ZodIssue;

/** Who has written more keys that nobody knows has written another file. */
const MOST_SUGGESTED = 20;

/**
 * What a user wrote, as its schema leaves it. Messages of schemas complete the sentence "expected …".
 * @param what the whole of it is called: for what is wrong with it as such
 * @param within before all paths in it, where it is itself a part of something
 * @param elsewhere what was meant by a key that belongs somewhere else
 * @throws UsageError every problem with its path
 */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  raw: unknown,
  what: string,
  within: readonly string[] = [],
  elsewhere: (key: string) => string | undefined = () => undefined,
): z.infer<Schema> {
  const parsed = schema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) => problemsOf(issue, [], { raw, schema, elsewhere }));
  throw new UsageError(
    problems.map(({ path, ...problem }) => ({ path: [...within, ...path].join('.') || what, ...problem })),
  );
}

/** Does something with a part of what a user wrote. @throws UsageError with paths that begin where that part is */
export async function problemsWithin<T>(place: string, action: () => T | Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (cause) {
    if (!(cause instanceof UsageError)) throw cause;
    throw new UsageError(cause.problems.map(({ path, ...rest }) => ({ path: `${place}.${path}`, ...rest })));
  }
}

/** Notes a problem unless something holds. */
export type Insist = (holds: boolean, path: string, expected: string, found: unknown) => void;

/**
 * @param placed where what is wrong lies, if not at its path
 * @throws UsageError everything that was insisted on and does not hold
 */
export function insisting<T>(resolve: (insist: Insist) => T, placed = (path: string) => path): T {
  const problems: Problem[] = [];
  const resolved = resolve((holds, path, expected, found) => {
    if (!holds) problems.push({ path: placed(path), expected, found: shown(found) });
  });
  if (problems.length > 0) throw new UsageError(problems);
  return resolved;
}

interface Written {
  readonly raw: unknown;
  readonly schema: z.ZodType;
  readonly elsewhere: (key: string) => string | undefined;
}

function problemsOf(
  issue: Issue,
  within: Path,
  written: Written,
): (Omit<Problem, 'path'> & { path: Path })[] {
  const { raw, schema, elsewhere } = written;
  const path = [...within, ...issue.path];
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key, index) => ({
      path: [...path, key],
      expected: 'no such key',
      found: shown(valueAt(raw, [...path, key])),
      meant: index < MOST_SUGGESTED ? (elsewhere(key) ?? meantKey(schema, path, key)) : undefined,
    }));
  }
  const meant = issue.code === 'invalid_union' ? issue.errors.filter(isOfItsKind) : [];
  if (meant.length === 1) return meant[0]!.flatMap((inner) => problemsOf(inner, path, written));
  return [{ path, expected: issue.message, found: shown(valueAt(raw, path)) }];
}

/** Whether something is one of these alternatives, though not a right one: what is wrong lies within it. */
function isOfItsKind(issues: readonly Issue[]): boolean {
  const otherKinds: readonly Issue['code'][] = ['invalid_type', 'invalid_value', 'custom'];
  return !issues.every(({ path, code }) => path.length === 0 && otherKinds.includes(code));
}

function valueAt(node: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown> | undefined)?.[key],
    node,
  );
}
