import type { Verdict } from '../core/migration/stop/stop-rule.ts';
import { NANOS_PER_MILLISECOND } from '../core/units.ts';
import type { AskedRule } from './asked-rule.ts';
import type { PredictedRound } from './memory.ts';

/** How often a migration looks at what is pending. */
const LOOK_EVERY_NS = 10 * NANOS_PER_MILLISECOND;
/** So many instants of a round are worked out; between them what is pending lies on a line. */
const STEPS_MAX = 128;

/** Into how many steps a round is cut: as many as there are looks, if they are not too many. */
export function stepsIn({ durationNs }: PredictedRound): number {
  return Math.max(1, Math.min(STEPS_MAX, Math.ceil(durationNs / LOOK_EVERY_NS)));
}

/** The look that ended the migration. */
interface LastLook {
  readonly verdict: Verdict;
  readonly pages: number;
  /** How much of the round was sent by then. */
  readonly share: number;
}

/** Asks the rule at every look within a round, given what is pending from its start to its end. */
export function scanWithin(
  asked: AskedRule,
  { durationNs }: PredictedRound,
  pending: Float64Array,
): LastLook | undefined {
  const startedAtNs = asked.elapsedNs;
  for (let ns = LOOK_EVERY_NS; ns < durationNs; ns += LOOK_EVERY_NS) {
    asked.sendUntil(startedAtNs + ns);
    const share = ns / durationNs;
    const pages = interpolated(pending, share);
    const verdict = asked.verdict(pages, false) ?? asked.timedOut();
    if (verdict) return { verdict, pages, share };
  }
  return undefined;
}

/** The value at a share of the way along values at evenly spaced places. */
function interpolated(values: Float64Array, share: number): number {
  const at = share * (values.length - 1);
  const left = Math.min(values.length - 2, Math.floor(at));
  return values[left]! + (at - left) * (values[left + 1]! - values[left]!);
}
