import type { Outage } from '../../core/migration/migration-result.ts';
import type { Nanos } from '../../core/units.ts';
import type { Heartbeat } from './heartbeat.ts';

/** What a client can say of a numbered series of heartbeats: gaps, losses, repetitions, late ones. */
export class HeartbeatAccount {
  readonly #periodNs: Nanos;
  readonly #seen = new Set<number>();
  #first = Number.POSITIVE_INFINITY;
  /** The number of the latest heartbeat. */
  last = 0;
  #repeated = 0;
  #late = 0;
  #previousAtNs: Nanos | undefined;
  #longestGapNs: Nanos = 0;

  constructor(periodNs: Nanos) {
    this.#periodNs = periodNs;
  }

  /** Gaps count from here on; one that is open now counts from its beginning. */
  watchGaps(): void {
    this.#longestGapNs = 0;
  }

  arrived({ number, latenessNs }: Heartbeat, atNs: Nanos): void {
    if (this.#previousAtNs !== undefined) {
      this.#longestGapNs = Math.max(this.#longestGapNs, atNs - this.#previousAtNs);
    }
    this.#previousAtNs = atNs;
    if (this.#seen.has(number)) this.#repeated += 1;
    else if (latenessNs > this.#periodNs) this.#late += 1;
    this.#seen.add(number);
    this.#first = Math.min(this.#first, number);
    this.last = Math.max(this.last, number);
  }

  /**
   * @param sent the number of the last heartbeat that the guest says it sent; null: it has not ended, so a gap that is open at
   * `now` counts too
   */
  outage(sent: number | null, now: Nanos): Outage | null {
    if (this.#seen.size === 0) return null;
    const expected = Math.max(sent ?? 0, this.last) - this.#first + 1;
    const openGapNs = sent === null ? now - this.#previousAtNs! : 0;
    return {
      longestGapNs: Math.max(this.#longestGapNs, openGapNs),
      lostHeartbeats: expected - this.#seen.size,
      repeatedHeartbeats: this.#repeated,
      heartbeats: expected,
      lateHeartbeats: this.#late,
    };
  }
}
