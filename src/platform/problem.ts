/** What is wrong with what a user wrote: where, what was expected, what was found. */
export interface Problem {
  readonly path: string;
  readonly expected: string;
  readonly found: string;
}

/** All problems of an input at once. Shown one a line; exit code 2. */
export class UsageError extends Error {
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(
      problems.map(({ path, expected, found }) => `${path}: expected ${expected}, found ${found}`).join('\n'),
    );
    this.problems = problems;
  }
}

/** A value as a message shows it: short, and unmistakable. */
export function shown(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
