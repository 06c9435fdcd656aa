import { NANOS_PER_MILLISECOND, NANOS_PER_SECOND, type Nanos } from '../units.ts';
import { SHORTEST_WINDOW_NS } from './meter.ts';
import type { Plan } from './plan.ts';
import type { GoOn, Progress } from './stop/stop-rule.ts';

/** When to find out again what is pending, and ask the stop rule: after so many pages, or at an instant, if that is earlier. */
export interface NextLook {
  readonly pages: number;
  /** Since the migration started. */
  readonly atNs: Nanos;
}

/** How often a rule is asked that does not say when: as QEMU's limit of the rate is renewed some times a second. */
export const LOOK_EVERY_NS = 10 * NANOS_PER_MILLISECOND;
const LOOKS_PER_COPY = 2048;

/** By how much less may be pending than the level at which a rule changes its answer, when that is noticed. */
export const TOLERANCE = 0.01;

/**
 * When a rule that does not say so is asked again: after 10 ms, or a 2048th of the time that the memory takes if that is more,
 * because finding out what is pending costs in proportion to the memory.
 */
export function soon({ elapsedNs, guestBytes, bandwidthBytesPerSecond }: Progress): Nanos {
  const copyNs = bandwidthBytesPerSecond > 0 ? (guestBytes * NANOS_PER_SECOND) / bandwidthBytesPerSecond : 0;
  return elapsedNs + Math.max(LOOK_EVERY_NS, copyNs / LOOKS_PER_COPY);
}

/**
 * A page sent takes one page off what is pending at most. So the level at which the rule may answer otherwise cannot be passed
 * unseen within the distance to it. Half of that is gone at a time, because the level follows the bandwidth, which is
 * measured anew meanwhile; near the level a hundredth of it: the error is no larger. That takes some 20 looks for every
 * approach, whatever the size of the memory.
 *
 * Until a bandwidth has been measured no level is known. It is at the end of the meter's first window.
 */
export function nextLook(
  { pageBytes, rateBytesPerSecond }: Pick<Plan, 'pageBytes' | 'rateBytesPerSecond'>,
  { pendingBelowBytes, atNs }: GoOn,
  { pendingBytes, elapsedNs, bandwidthBytesPerSecond }: Progress,
): NextLook {
  if (bandwidthBytesPerSecond === 0) {
    const measuredAtNs = Math.max(SHORTEST_WINDOW_NS, elapsedNs + LOOK_EVERY_NS);
    return { pages: Number.POSITIVE_INFINITY, atNs: Math.min(atNs, measuredAtNs) };
  }
  if (pendingBelowBytes === 0) return { pages: Number.POSITIVE_INFINITY, atNs };
  const stepBytes = Math.max((pendingBytes - pendingBelowBytes) / 2, TOLERANCE * pendingBelowBytes);
  if (stepBytes >= pageBytes) return { pages: Math.floor(stepBytes / pageBytes), atNs };
  const stepNs = (stepBytes * NANOS_PER_SECOND) / (rateBytesPerSecond ?? bandwidthBytesPerSecond);
  return { pages: 1, atNs: Math.min(atNs, elapsedNs + stepNs) };
}
