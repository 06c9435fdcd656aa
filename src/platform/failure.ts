/** Something outside the program went wrong, and its user can mend it. Shown as one line, exit code 1. */
export class Failure extends Error {}

/** A request that this host does not grant, such as a CPU reservation or listening without a key. Exit code 2. */
export class Refusal extends Failure {}

/** An input is larger than anybody may make it; the message names the limit, one of core/input-limits.ts. */
export class TooLarge extends Refusal {
  /** @param where the file, line or message. @param limit completes the sentence "expected …" */
  constructor(where: string, limit: string) {
    super(`${where}: expected ${limit}, found more`);
  }
}

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
