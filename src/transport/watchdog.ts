import { type Plan, pausedTooLong } from '../core/migration/plan.ts';
import type { Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { afterNs } from '../platform/timer.ts';
import type { Interruption } from './interruption.ts';

/** Bounds the time for which a guest is paused: after it the migration is interrupted. */
export class Watchdog {
  readonly #plan: Plan;
  readonly #interruption: Interruption;
  #stopTimer: () => void = () => {};
  #expiresAtNs: Nanos = Number.POSITIVE_INFINITY;

  constructor(plan: Plan, interruption: Interruption) {
    this.#plan = plan;
    this.#interruption = interruption;
  }

  /** @param pausedAtNs since when the guest is paused, by the host's clock; the latest call counts */
  arm(pausedAtNs: Nanos): void {
    this.disarm();
    this.#expiresAtNs = pausedAtNs + this.#plan.stopTimeoutNs;
    this.#stopTimer = afterNs(this.#expiresAtNs - clockNs(), () => this.#expire());
  }

  /** For a moment that must not be missed: a timer may be late. */
  check(): void {
    if (clockNs() >= this.#expiresAtNs) this.#expire();
  }

  disarm(): void {
    this.#stopTimer();
  }

  #expire(): void {
    this.#interruption.raise('aborted', pausedTooLong(this.#plan));
  }
}
