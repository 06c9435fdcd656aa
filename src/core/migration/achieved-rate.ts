import {
  type Bytes,
  type BytesPerSecond,
  formatRate,
  NANOS_PER_MILLISECOND,
  NANOS_PER_SECOND,
  type Nanos,
} from '../units.ts';
import type { AchievedRates, MigrationResult } from './migration-result.ts';
import type { Plan } from './plan.ts';

/** What was sent, and how long it took until all had arrived, without the way of the last byte and of the answer to it. */
export interface Sending {
  readonly bytes: Bytes;
  readonly durationNs: Nanos;
}

export function achievedRates(
  { rateBytesPerSecond, stopRateBytesPerSecond, depthBytes }: Plan,
  live: Sending,
  stop: Sending,
): AchievedRates {
  const rateOf = ({ bytes, durationNs }: Sending, reserved: BytesPerSecond | null) => {
    if (bytes <= depthBytes || durationNs <= 0) return null;
    return Math.min((bytes * NANOS_PER_SECOND) / durationNs, reserved ?? Number.POSITIVE_INFINITY);
  };
  return {
    liveBytesPerSecond: rateOf(live, rateBytesPerSecond),
    stopBytesPerSecond: rateOf(stop, stopRateBytesPerSecond),
  };
}

type Phase = 'live' | 'stop';

/** What was achieved beside what was reserved, which is nothing for an elastic migration; null: not there. */
export function besideReserved(plan: Plan, achieved: AchievedRates | undefined) {
  const { rateBytesPerSecond, stopRateBytesPerSecond, isElastic = false } = plan;
  const { liveBytesPerSecond = null, stopBytesPerSecond = null } = achieved ?? {};
  const of = (phase: Phase, reserved: BytesPerSecond | null, rate: BytesPerSecond | null) => ({
    phase,
    reservedBytesPerSecond: isElastic ? null : reserved,
    achievedBytesPerSecond: rate,
  });
  return [
    of('live', rateBytesPerSecond, liveBytesPerSecond),
    of('stop', stopRateBytesPerSecond, stopBytesPerSecond),
  ];
}

/** A phase for which more was reserved than arrived. */
export interface Shortfall {
  readonly phase: Phase;
  readonly reservedBytesPerSecond: BytesPerSecond;
  readonly achievedBytesPerSecond: BytesPerSecond;
}

/** A phase that achieves less than this part of what is reserved, and loses more time than this, is short. */
const CARRIES = 0.9;
const LEAST_LOST_NS = 10 * NANOS_PER_MILLISECOND;

/**
 * Where the link, or who reads from it, did not carry what was reserved. It is not the link's doing where the sender came too late
 * for its tokens, which is why most of the time was lost then: that a record says by `utilisation` and `lateNs`.
 */
export function linkShortfalls({
  plan,
  rounds,
  stop,
  achieved,
  link,
}: Pick<MigrationResult, 'rounds' | 'stop' | 'achieved' | 'link'> & {
  readonly plan: Plan;
}): readonly Shortfall[] {
  const sentBytes = { live: rounds.reduce((sum, { bytes }) => sum + bytes, 0), stop: stop.bytes };
  const short = besideReserved(plan, achieved).flatMap((one) => shortfall(one, sentBytes[one.phase]));
  const allLostNs = short.reduce((sum, { lostNs }) => sum + lostNs, 0);
  return 2 * link.lateNs > allLostNs ? [] : short.map(({ lostNs: _, ...told }) => told);
}

function shortfall(
  {
    phase,
    reservedBytesPerSecond: reserved,
    achievedBytesPerSecond: achieved,
  }: ReturnType<typeof besideReserved>[number],
  bytes: Bytes,
): readonly (Shortfall & { readonly lostNs: Nanos })[] {
  if (reserved === null || achieved === null || achieved >= CARRIES * reserved) return [];
  const lostNs = bytes * NANOS_PER_SECOND * (1 / achieved - 1 / reserved);
  if (lostNs <= LEAST_LOST_NS) return [];
  return [{ phase, reservedBytesPerSecond: reserved, achievedBytesPerSecond: achieved, lostNs }];
}

const during = { live: 'for the live rounds', stop: 'for the stop' } as const;

/** In whole per cent, so that runs alike say the same. */
export function shortfallNote({ phase, reservedBytesPerSecond, achievedBytesPerSecond }: Shortfall): string {
  const percent = Math.round((100 * achievedBytesPerSecond) / reservedBytesPerSecond);
  return `Of the ${formatRate(reservedBytesPerSecond)} reserved ${during[phase]}, the link carried ${percent} %.`;
}
