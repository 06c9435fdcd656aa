import type { Nanos } from '../units.ts';

/** Sample k of a recording is due at k intervals. */
export interface Slot {
  readonly slot: number;
  /** Samples before it that will not be taken any more. */
  readonly missed: number;
}

/**
 * The sample to be taken after sample `slot`, at `elapsedNs` since the start; after the `last` there is none. One that
 * is late by less than an interval is taken late, so that samples that take slightly longer than an interval follow
 * on each other at once; and the last is taken however late, so that a recording reaches its end.
 */
export function nextSlot(slot: number, elapsedNs: Nanos, intervalNs: Nanos, last: number): Slot {
  const next = Math.max(slot + 1, Math.min(Math.floor(elapsedNs / intervalNs), last));
  return { slot: next, missed: next - slot - 1 };
}
