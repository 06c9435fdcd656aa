import { Failure } from '../platform/failure.ts';
import type { HostedGuest } from './hosted-guest.ts';
import type { TakenOver } from './payloads.ts';

/** The final outcome of a migration at its destination. */
export type IncomingOutcome =
  | {
      readonly kind: 'kept';
      readonly name: string;
      readonly guest: HostedGuest;
      readonly takenOver: TakenOver;
    }
  /** The source owns it: what had arrived is discarded. */
  | { readonly kind: 'returned'; readonly why: string };

/** How long after its connection has ended a source may still ask. */
const KEPT_MS = 60_000;

interface Remembered {
  conclude(): Promise<IncomingOutcome | undefined>;
  /** Until it is forgotten, once its connection has ended. */
  readonly timer?: NodeJS.Timeout;
}

/** The migrations that have come to this destination, for a source that has lost its connection and asks over another. */
export class IncomingMigrations {
  readonly #byName = new Map<string, Remembered>();

  /** @param conclude ends its connection, and says what came of it; undefined: nothing that is certain */
  begins(migration: string, conclude: () => Promise<IncomingOutcome | undefined>): void {
    this.#byName.set(migration, { conclude });
  }

  /** Its connection has ended, perhaps before its source knew, and it was not forgotten before that. */
  ended(migration: string, outcome: IncomingOutcome): void {
    if (!this.#byName.has(migration)) return;
    const timer = setTimeout(() => this.forget(migration), KEPT_MS).unref();
    this.#byName.set(migration, { conclude: async () => outcome, timer });
  }

  /** Its outcome will not be asked for any more. The timer is cleared because its closure holds the guest's memory. */
  forget(migration: string): void {
    clearTimeout(this.#byName.get(migration)?.timer);
    this.#byName.delete(migration);
  }

  /** From here on no commit can come. @throws Failure nothing is known of it here, or nothing for certain */
  async conclude(migration: string): Promise<IncomingOutcome> {
    const outcome = await this.#byName.get(migration)?.conclude();
    if (!outcome) throw new Failure('this destination does not know the outcome of that migration');
    return outcome;
  }
}
