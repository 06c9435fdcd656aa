/** Something outside the program went wrong that a user can understand and mend: shown as one line, exit 1. */
export class Failure extends Error {}

/** The reason of any thrown value in one line. */
export function reasonOf(cause: unknown): string {
  const error = cause as NodeJS.ErrnoException;
  return error instanceof Error
    ? (error.message || (error.code ?? error.name)).split('\n')[0]!
    : String(cause);
}
