import { Failure } from '../platform/failure.ts';

/** A migration was ended although nothing had failed. */
export class Interrupted extends Failure {
  readonly outcome: 'cancelled' | 'aborted';

  constructor(outcome: 'cancelled' | 'aborted', why: string) {
    super(why);
    this.outcome = outcome;
  }
}

/** Ends a migration from outside: its user cancels it, or a time-out has passed. The first reason counts. */
export class Interruption {
  readonly #raised: Promise<never>;
  #reject: (why: Interrupted) => void = () => {};
  #cause: Interrupted | undefined;
  #isOver = false;

  constructor() {
    this.#raised = new Promise((_, reject) => {
      this.#reject = reject;
    });
    this.#raised.catch(() => {});
  }

  get cause(): Interrupted | undefined {
    return this.#cause;
  }

  /** @returns whether the migration will end for it, or for an earlier one */
  raise(outcome: Interrupted['outcome'], why: string): boolean {
    if (this.#isOver) return false;
    if (!this.#cause) {
      this.#cause = new Interrupted(outcome, why);
      this.#reject(this.#cause);
    }
    return true;
  }

  /** From here on it is too late. */
  over(): void {
    this.#isOver = true;
  }

  /** @throws Interrupted */
  check(): void {
    if (this.#cause) throw this.#cause;
  }

  /** The same promise, unless the migration is interrupted first. @throws Interrupted */
  unless<T>(promise: Promise<T>): Promise<T> {
    return Promise.race([promise, this.#raised]);
  }
}
