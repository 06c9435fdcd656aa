import type { Nanos } from '../core/units.ts';

/** How QEMU's auto-converge takes CPU time from a guest that does not converge. */
export interface AutoConverge {
  readonly initialPercent: number;
  readonly incrementPercent: number;
  readonly maxPercent: number;
  /** It steps in where more than so much of what was sent was dirtied meanwhile. */
  readonly triggerPercent: number;
}

/** QEMU's defaults (qapi/migration.json). */
export const autoConvergeDefaults: AutoConverge = {
  initialPercent: 20,
  incrementPercent: 10,
  maxPercent: 99,
  triggerPercent: 50,
};

/** A look for dirty pages sooner than this after the last that counted belongs to the same period. */
export const PERIOD_NS: Nanos = 1e9;
/** So many periods of too many dirty pages, not necessarily one after the other, raise the throttle. */
const PERIODS = 2;

/**
 * QEMU's rule (migration/ram.c, migration_trigger_throttle): in each period of at least a second, pages dirtied are
 * compared with pages sent; the second period in which they are more than the threshold raises the throttle.
 */
export class Throttle {
  readonly #rule: AutoConverge | null;
  #percent: number;
  #highPeriods: number;
  #periodNs: Nanos = 0;
  #dirtied = 0;
  #sent = 0;

  constructor(rule: AutoConverge | null, percent = 0, highPeriods = 0) {
    this.#rule = rule;
    this.#percent = percent;
    this.#highPeriods = highPeriods;
  }

  get percent(): number {
    return this.#percent;
  }

  /** What part of its time the guest runs. */
  get speed(): number {
    return 1 - this.#percent / 100;
  }

  /** Dirty pages were looked for, so long after the last time. */
  look(ns: Nanos, dirtiedPages: number, sentPages: number): void {
    this.#periodNs += ns;
    this.#dirtied += dirtiedPages;
    this.#sent += sentPages;
    if (this.#rule === null || this.#periodNs < PERIOD_NS) return;
    const { initialPercent, incrementPercent, maxPercent, triggerPercent } = this.#rule;
    if (this.#dirtied > (this.#sent * triggerPercent) / 100) this.#highPeriods += 1;
    if (this.#highPeriods >= PERIODS) {
      this.#highPeriods = 0;
      const raised = this.#percent === 0 ? initialPercent : this.#percent + incrementPercent;
      this.#percent = Math.min(maxPercent, raised);
    }
    this.#periodNs = 0;
    this.#dirtied = 0;
    this.#sent = 0;
  }
}
