import { type Plan, pausedTooLong } from '../core/migration/plan.ts';
import { NANOS_PER_MILLISECOND, type Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import type { Interruption } from './interruption.ts';

/** What a timer can count to. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Bounds the time for which a guest is paused: after it the migration is interrupted. */
export class Watchdog {
  readonly #plan: Plan;
  readonly #interruption: Interruption;
  #timer: NodeJS.Timeout | undefined;
  #expiresAtNs: Nanos = Number.POSITIVE_INFINITY;

  constructor(plan: Plan, interruption: Interruption) {
    this.#plan = plan;
    this.#interruption = interruption;
  }

  /** @param pausedAtNs since when the guest is paused, by the host's clock; the latest call counts */
  arm(pausedAtNs: Nanos): void {
    this.disarm();
    this.#expiresAtNs = pausedAtNs + this.#plan.stopTimeoutNs;
    const restMs = (this.#expiresAtNs - clockNs()) / NANOS_PER_MILLISECOND;
    this.#timer = setTimeout(() => this.#expire(), Math.min(restMs, LONGEST_TIMER_MS));
  }

  /** For a moment that must not be missed: a timer may be late. */
  check(): void {
    if (clockNs() >= this.#expiresAtNs) this.#expire();
  }

  disarm(): void {
    clearTimeout(this.#timer);
  }

  #expire(): void {
    this.#interruption.raise('aborted', pausedTooLong(this.#plan));
  }
}
