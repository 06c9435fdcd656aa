import type { BytesPerSecond, Nanos } from '../units.ts';

/** From an instant on at most this rate. */
export interface Limit {
  readonly fromNs: Nanos;
  readonly rateBytesPerSecond: BytesPerSecond;
  /** Of a rate of 0: it is for a while, and the migration waits. Without it, it is for good. */
  readonly isOutage?: boolean | undefined;
}

/**
 * What a link still allows one migration: from an instant on at most this rate, whatever was reserved at first. 0:
 * nothing more, and a migration that has pages to send gives up, or waits if it is an outage. A list of them is in the order of time, and before its
 * first nothing is limited.
 */
export interface Ceiling extends Limit {
  /** What a migration says that gives up for it. */
  readonly why: string;
}

/** Ceilings whose instants count from `now`, on the clock that shows it. */
export function onClock(ceilings: readonly Ceiling[], now: Nanos): readonly Ceiling[] {
  return ceilings.map((ceiling) => ({ ...ceiling, fromNs: ceiling.fromNs + now }));
}

/** The ceiling at `now`; infinity: none. */
export function ceilingAt(ceilings: readonly Limit[], now: Nanos): BytesPerSecond {
  return ceilings.findLast(({ fromNs }) => fromNs <= now)?.rateBytesPerSecond ?? Number.POSITIVE_INFINITY;
}

/**
 * The rate of a migration that asked for this one (null: for as much as goes): no more than the link allows. null: nothing limits
 * it. A ceiling of 0 is no rate: see `revokedWhy` and `isOutage`.
 */
export function allowedRate(
  asked: BytesPerSecond | null,
  ceilings: readonly Limit[],
  now: Nanos,
): BytesPerSecond | null {
  const wanted = asked ?? Number.POSITIVE_INFINITY;
  const allowed = Math.min(wanted, ceilingAt(ceilings, now) || wanted);
  return allowed === Number.POSITIVE_INFINITY ? null : allowed;
}

/** Why nothing more is allowed at `now`; `undefined`: something is. */
export function revokedWhy(ceilings: readonly Ceiling[], now: Nanos): string | undefined {
  const ceiling = ceilings.findLast(({ fromNs }) => fromNs <= now);
  return ceiling?.rateBytesPerSecond === 0 && !ceiling.isOutage ? ceiling.why : undefined;
}

/** Whether nothing passes at `now`, but will again. */
export function isOutage(ceilings: readonly Limit[], now: Nanos): boolean {
  return ceilings.findLast(({ fromNs }) => fromNs <= now)?.isOutage ?? false;
}

/** From when on the link is not out any more, at `now` or later; infinity: that is not known. */
export function outageEndNs(ceilings: readonly Limit[], now: Nanos): Nanos {
  if (!isOutage(ceilings, now)) return now;
  const end = ceilings.find(({ fromNs, isOutage }) => fromNs > now && !isOutage);
  return end?.fromNs ?? Number.POSITIVE_INFINITY;
}

/** When the ceiling changes next after `now`; infinity: never. */
export function nextChangeNs(ceilings: readonly Limit[], now: Nanos): Nanos {
  return ceilings.find(({ fromNs }) => fromNs > now)?.fromNs ?? Number.POSITIVE_INFINITY;
}
