import type { Limits } from './limits.ts';

/** One connection that was taken. */
export interface ConnectionSlot {
  /** The peer has proved itself, or need not. */
  authenticated(): void;
  release(): void;
}

/** Counts open connections, and takes none beyond the limits. */
export class ConnectionLimiter {
  readonly #limits: Limits;
  #inside = 0;
  #unauthenticated = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Takes an unauthenticated peer in, or says why not. */
  admit(): ConnectionSlot | string {
    const { connections, unauthenticated } = this.#limits;
    if (this.#inside >= connections)
      return `too many connections: this destination accepts ${connections} at once`;
    if (this.#unauthenticated >= unauthenticated) {
      return `too many unauthenticated connections: this destination accepts ${unauthenticated} at once`;
    }
    this.#inside += 1;
    this.#unauthenticated += 1;
    let isKnown = false;
    const authenticated = () => {
      if (!isKnown) this.#unauthenticated -= 1;
      isKnown = true;
    };
    return {
      authenticated,
      release: () => {
        authenticated();
        this.#inside -= 1;
      },
    };
  }
}
