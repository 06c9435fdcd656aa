import type { Nanos } from '../units.ts';

/** Sample k of a recording is due at k intervals. */
export interface Slot {
  readonly slot: number;
  /** Samples before it that will not be taken any more. */
  readonly missed: number;
}

/**
 * The sample to be taken after sample `slot`, at `elapsedNs` since the start; past the `last`, there is none. One that
 * is late by less than an interval is taken late, so that samples that take slightly longer than an interval follow
 * on each other at once.
 */
export function nextSlot(slot: number, elapsedNs: Nanos, intervalNs: Nanos, last: number): Slot {
  const next = Math.min(Math.max(slot + 1, Math.floor(elapsedNs / intervalNs)), last + 1);
  return { slot: next, missed: next - slot - 1 };
}
