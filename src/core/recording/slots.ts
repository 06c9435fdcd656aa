import type { Nanos } from '../units.ts';

/**
 * Sample k of a recording is due at k intervals. The sample to be taken after sample `slot`, at `elapsedNs` since the
 * start; after the `last` there is none. One that is late by less than an interval is taken late, so that samples that
 * take slightly longer than an interval follow on each other at once; and the last is taken however late, so that a
 * recording reaches its end.
 * @returns that sample, and how many before it will not be taken any more
 */
export function nextSlot(slot: number, elapsedNs: Nanos, intervalNs: Nanos, last: number) {
  const next = Math.max(slot + 1, Math.min(Math.floor(elapsedNs / intervalNs), last));
  return { slot: next, missed: next - slot - 1 };
}
