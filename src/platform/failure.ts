/** Something outside the program went wrong, and its user can mend it. Shown as one line, exit code 1. */
export class Failure extends Error {}

/** A request that this host does not grant, such as a CPU reservation or listening without a key. Exit code 2. */
export class Refusal extends Failure {}

/** The reason of any thrown value in one line. */
export function reasonOf(cause: unknown): string {
  const error = cause as NodeJS.ErrnoException;
  return error instanceof Error
    ? (error.message || (error.code ?? error.name)).split('\n')[0]!
    : String(cause);
}

/** What `act` returns. @throws Failure what could not be done, and why; a Failure of its own as it is */
export function orFailure<T>(what: string, act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw cause instanceof Failure ? cause : new Failure(`${what}: ${reasonOf(cause)}`);
  }
}

/** A text of another program, fit to be printed: without control characters, and not endless. */
export function printable(text: string): string {
  return text.slice(0, 1_000).replace(/\p{Cc}/gu, ' ');
}
