import type { Limits } from './limits.ts';

/** One connection that was let in. */
export interface Visit {
  /** No stranger any more. */
  known(): void;
  leaves(): void;
}

/** Counts who is in, and lets nobody in beyond the limits. */
export class Door {
  readonly #limits: Limits;
  #inside = 0;
  #strangers = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Lets a stranger in, or says why not. */
  enters(): Visit | string {
    const { connections, strangers } = this.#limits;
    if (this.#inside >= connections) return `this destination takes ${connections} connections at once`;
    if (this.#strangers >= strangers) {
      return `this destination takes ${strangers} connections at once that it does not know yet`;
    }
    this.#inside += 1;
    this.#strangers += 1;
    let stranger = true;
    const known = () => {
      if (stranger) this.#strangers -= 1;
      stranger = false;
    };
    return {
      known,
      leaves: () => {
        known();
        this.#inside -= 1;
      },
    };
  }
}
