import { inLines, type Problem } from '../core/registry.ts';
import { meantValue } from './meant.ts';

export type { Problem };

/** All problems of an input at once. Shown one a line; exit code 2. */
export class UsageError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    const told = problems.map(withMeant);
    super(inLines(told));
    this.problems = told;
  }
}

/** What a value was probably meant to be, unless somebody knows better. */
function withMeant(problem: Problem): Problem {
  if (problem.meant !== undefined) return problem;
  const meant = meantValue(problem.expected, writtenOf(problem.found));
  return meant === undefined ? problem : { ...problem, meant };
}

/** The value of which a message shows this; of a long one nothing. */
function writtenOf(found: string): unknown {
  try {
    return JSON.parse(found);
  } catch {
    return undefined;
  }
}

/** The same of one thing that is wrong, whose value is shown as it is. */
export function usageError(path: string, expected: string, found: unknown): UsageError {
  return new UsageError([{ path, expected, found: shown(found) }]);
}

/** A value as a message shows it: short, and unmistakable. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
