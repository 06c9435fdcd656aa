import { type Plan, stoodTooLong } from '../core/migration/plan.ts';
import { NANOS_PER_MILLISECOND, type Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import type { Interruption } from './interruption.ts';

/** What a timer can count to. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Bounds the time for which a guest stands: past it the migration is interrupted. */
export class Watchdog {
  readonly #plan: Plan;
  readonly #interruption: Interruption;
  #timer: NodeJS.Timeout | undefined;
  #barksAtNs: Nanos = Number.POSITIVE_INFINITY;

  constructor(plan: Plan, interruption: Interruption) {
    this.#plan = plan;
    this.#interruption = interruption;
  }

  /** @param stoodAtNs since when the guest stands, by the host's clock */
  watch(stoodAtNs: Nanos): void {
    this.#barksAtNs = stoodAtNs + this.#plan.stopTimeoutNs;
    const restMs = (this.#barksAtNs - clockNs()) / NANOS_PER_MILLISECOND;
    this.#timer = setTimeout(() => this.#bark(), Math.min(restMs, LONGEST_TIMER_MS));
  }

  /** For a moment that must not be missed: a timer may be late. */
  check(): void {
    if (clockNs() >= this.#barksAtNs) this.#bark();
  }

  rest(): void {
    clearTimeout(this.#timer);
  }

  #bark(): void {
    this.#interruption.raise('aborted', stoodTooLong(this.#plan));
  }
}
