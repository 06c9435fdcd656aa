import { LOOK_EVERY_NS } from '../core/migration/look.ts';
import type { GoOn } from '../core/migration/stop/stop-rule.ts';
import type { Bytes } from '../core/units.ts';
import type { AskedRule, PredictedVerdict } from './asked-rule.ts';
import type { PredictedRound } from './memory.ts';

/** The most instants of a round at which pending pages are computed. Between them they are interpolated. */
const STEPS_MAX = 128;

/** Into how many steps a round is cut: as many as there could be looks, if they are not too many. */
export function stepsIn({ durationNs }: PredictedRound): number {
  return Math.max(1, Math.min(STEPS_MAX, Math.ceil(durationNs / LOOK_EVERY_NS)));
}

/** Just less than the least part of a page that is not nothing. */
const NEXT_TO_NOTHING = 0.4998;
/** The least part of a page that is not nothing. */
const SOME = 0.5;

/**
 * The least that is pending while each page has its turn. Of the page that leaves next the link has carried some part, which counts
 * as sent (core/migration/round.ts). A page that is dirty again by then is pending before and after, but that part is off all the
 * same. The share that is dirty again is taken to be that of the whole round.
 * @param carriedShare how much of a page counts as sent before it leaves
 */
export function lessCarried(
  pending: Float64Array,
  { sentPages }: PredictedRound,
  carriedShare: number,
): Float64Array {
  if (carriedShare === 0) return pending;
  const steps = pending.length - 1;
  const again = sentPages > SOME ? Math.min(1, pending[steps]! / sentPages) : 0;
  return pending.map((pages, step) => {
    const carried = carriedShare * again * Math.min(1, (step / steps) * sentPages);
    return Math.max(Math.min(pages, NEXT_TO_NOTHING), pages - carried);
  });
}

/**
 * Asks within a round, at the instants at which the answer can change: when as little is pending as the last answer says,
 * at the instant that it names, and until a bandwidth has been measured every 10 ms.
 * @param before the answer before the round; undefined: only the time-out can pass within it
 * @param pending what is pending within it, for a rule that waits for so few bytes
 * @param sway by how much more is pending than expected where that decides nothing but what the rule sees
 * @returns what ended the migration, and the share of the round that was sent by then
 */
export function scanWithin(
  asked: AskedRule,
  { durationNs }: PredictedRound,
  before: GoOn | undefined,
  pending: (belowBytes: Bytes) => Float64Array,
  sway: () => number,
): { readonly verdict: PredictedVerdict; readonly pages: number; readonly share: number } | undefined {
  const startedAtNs = asked.elapsedNs;
  let answer = before;
  if (durationNs === 0) return undefined;
  for (let ns = 0; ; ) {
    const belowBytes = answer?.pendingBelowBytes ?? 0;
    const values = pending(belowBytes);
    const dueNs = (answer ? answer.atNs : asked.timeoutNs) - startedAtNs;
    const lowNs = answer
      ? firstBelow(values, asked.levelPages(belowBytes), ns / durationNs) * durationNs
      : Number.POSITIVE_INFINITY;
    const measuredNs =
      answer && asked.bandwidthBytesPerSecond === 0 ? ns + LOOK_EVERY_NS : Number.POSITIVE_INFINITY;
    ns = Math.max(ns + 1, Math.min(dueNs, lowNs, measuredNs));
    if (ns >= durationNs) return undefined;
    asked.sendUntil(startedAtNs + ns);
    const share = ns / durationNs;
    const expected = interpolated(ns === lowNs ? values : pending(0), share);
    const least = Math.min(expected, SOME);
    const pages = ns === lowNs ? expected : Math.max(least, expected + sway());
    const said = asked.ask(pages, false);
    if (said.decision !== 'go on') {
      return { verdict: said, pages, share };
    }
    if (answer) answer = said;
  }
}

/**
 * The share of the way, from one share on, at which values at evenly spaced places first fall below a level; Infinity: not
 * at all. Where they begin below it, they have to rise first: what is as little as that has been asked about already.
 */
function firstBelow(values: Float64Array, level: number, fromShare: number): number {
  const steps = values.length - 1;
  let above = interpolated(values, fromShare);
  let aboveAt = fromShare * steps;
  for (let right = Math.floor(fromShare * steps) + 1; right <= steps; right++) {
    const value = values[right]!;
    if (above >= level && value < level) {
      return (aboveAt + ((right - aboveAt) * (above - level)) / (above - value)) / steps;
    }
    above = value;
    aboveAt = right;
  }
  return Number.POSITIVE_INFINITY;
}

/** The value at a share of the way along values at evenly spaced places. */
function interpolated(values: Float64Array, share: number): number {
  const at = share * (values.length - 1);
  const left = Math.min(values.length - 2, Math.floor(at));
  return values[left]! + (at - left) * (values[left + 1]! - values[left]!);
}
