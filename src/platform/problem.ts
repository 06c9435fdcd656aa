import { inLines, type Problem } from '../core/registry.ts';

export type { Problem };

/** All problems of an input at once. Shown one a line; exit code 2. */
export class UsageError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(inLines(problems));
    this.problems = problems;
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
