import type { Nanos } from '../units.ts';
import { EarliestFirst } from './earliest-first.ts';

/**
 * Round robin: who joins does so at the tail, and the first goes there when its quantum is used up. One that is
 * interrupted stays the first and keeps the rest of its quantum.
 */
export class RoundRobin {
  readonly #quantumNs: Nanos;
  /** By the number that each drew when it last went to the tail. */
  readonly #queue = new EarliestFirst();
  #drawn = 0;
  #leftNs: Nanos;

  constructor(quantumNs: Nanos) {
    this.#quantumNs = quantumNs;
    this.#leftNs = quantumNs;
  }

  /** Whose turn it is, or `NONE`. */
  get first(): number {
    return this.#queue.first;
  }

  /** What is left of its quantum. */
  get leftNs(): Nanos {
    return this.#leftNs;
  }

  join(entity: number): void {
    this.#queue.put(entity, this.#drawn++);
  }

  leave(entity: number): void {
    if (entity === this.first) this.#leftNs = this.#quantumNs;
    this.#queue.remove(entity);
  }

  /** The first has run for so long. */
  spend(ranNs: Nanos): void {
    this.#leftNs -= ranNs;
  }

  /** The first goes to the tail. */
  pass(): void {
    this.#leftNs = this.#quantumNs;
    this.join(this.first);
  }
}
