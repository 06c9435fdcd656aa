import { BandwidthMeter } from '../core/migration/meter.ts';
import { SCAN_EVERY_NS } from '../core/migration/plan.ts';
import { looksWithinRounds, type StopSpec } from '../core/migration/stop/stops.ts';
import type { Nanos } from '../core/units.ts';
import { AskedRule, type PredictedVerdict } from './asked-rule.ts';
import { type CurveGuest, CurveMemory } from './curve-memory.ts';
import { certainly, type DirtyPages, type Load, type PredictedRound } from './memory.ts';
import { type RatesGuest, RatesMemory } from './rates-memory.ts';

/** The live rounds to predict. */
export interface LiveInput extends Load {
  readonly guest: RatesGuest | CurveGuest;
  readonly stop: StopSpec;
  /** Not converged by then: it gives up. null: the stop rule ends by itself. */
  readonly timeoutNs: Nanos | null;
}

export type Ending = ReturnType<typeof predictedRounds>;

/**
 * Follows the live rounds until the stop rule, the real one, ends them. It is asked at the end of every round, and
 * within rounds if a migration asks it there too. A stop within a round is a stop at a level: how much is left is
 * certain then, and only the instant is left to chance.
 *
 * A curve is followed as a predictor does that plans ahead (A. Gudkov, qemu-devel, April 2023): the bandwidth is
 * known, the rule is asked at the ends only, but before the first round too, which may already be the stop.
 *
 * It always ends: once the rounds are alike they cost nothing to follow, and the number of questions is limited.
 */
export function predictedRounds(input: LiveInput) {
  const { guest, stop, timeoutNs } = input;
  const plansAhead = guest.kind === 'curve';
  const memory = plansAhead ? new CurveMemory(guest, input) : new RatesMemory(guest, input);
  const asked = new AskedRule(input, stop, timeoutNs, plansAhead ? null : new BandwidthMeter());
  const settling = new Settling(
    plansAhead ? Number.POSITIVE_INFINITY : SETTLED_AFTER + PAGES_FOLLOWED_MAX / input.pages,
  );
  const roundPages: number[] = [];
  const ended = (verdict: PredictedVerdict, left: DirtyPages) => ({
    verdict,
    asked,
    /** What each round sends; the last of them may be cut short. */
    roundPages,
    /** How many of them there are before all that follow are alike. */
    distinctRounds: settling.settled ? settling.rounds : roundPages.length,
    /** What is dirty at the end. */
    left,
  });
  let next = memory.predict();
  let pending: Float64Array | undefined;
  let verdict: PredictedVerdict | undefined = plansAhead ? asked.verdict(next.dirtyPages, true) : undefined;
  while (verdict === undefined) {
    const round = next;
    const endNs = asked.elapsedNs + round.durationNs;
    if (!settling.settled && looksWithinRounds(stop)) pending = memory.pendingWithin?.(stepsIn(round));
    const look = pending && scanWithin(asked, round, pending);
    if (look) {
      asked.endRound(round, look.share);
      roundPages.push(round.sentPages * look.share);
      return ended(look.verdict, certainly(look.pages));
    }
    asked.sendUntil(endNs);
    asked.endRound(round);
    roundPages.push(round.sentPages);
    if (!settling.settled) {
      memory.send();
      next = memory.predict();
      settling.see(round, next);
    }
    verdict = asked.verdict(next.dirtyPages, true) ?? allWait(round, stop) ?? asked.timedOut();
  }
  return ended(verdict, memory.dirtyPages());
}

/** A migration that has nothing left to send live stops, unless its rule counts rounds. */
function allWait(round: PredictedRound, stop: StopSpec): PredictedVerdict | undefined {
  if (Math.round(round.sentPages) > 0 || stop.rule === 'rounds') return undefined;
  return { decision: 'stop', reason: 'all that is dirty waits for the stop' };
}

/** Two rounds of n pages are alike if they differ by less than this share of √n, which is what chance may do to them. */
const ALIKE = 1e-3;
/** After so many rounds, and some more of a small guest, they are taken not to change any more. */
const SETTLED_AFTER = 30;
const PAGES_FOLLOWED_MAX = 1e6;

/** Whether the rounds have stopped changing: twice in a row the next was like the last. */
class Settling {
  rounds = 0;
  #alike = 0;
  readonly #roundsMax: number;

  constructor(roundsMax: number) {
    this.#roundsMax = roundsMax;
  }

  get settled(): boolean {
    return this.#alike >= 2 || this.rounds >= this.#roundsMax;
  }

  see(last: PredictedRound, next: PredictedRound): void {
    const like = (one: number, other: number) => Math.abs(one - other) <= ALIKE * Math.sqrt(one);
    const alike = like(last.dirtyPages, next.dirtyPages) && like(last.sentPages, next.sentPages);
    this.#alike = alike ? this.#alike + 1 : 0;
    this.rounds += 1;
  }
}

/** The most instants of a round at which pending pages are computed. Between them they are interpolated. */
const STEPS_MAX = 128;

/** Into how many steps a round is cut: as many as there are dirty scans, if they are not too many. */
function stepsIn({ durationNs }: PredictedRound): number {
  return Math.max(1, Math.min(STEPS_MAX, Math.ceil(durationNs / SCAN_EVERY_NS)));
}

/**
 * Asks the rule at every dirty scan within a round, given what is pending from its start to its end.
 * @returns the scan that ended the migration, and the share of the round that was sent by then
 */
function scanWithin(
  asked: AskedRule,
  { durationNs }: PredictedRound,
  pending: Float64Array,
): { readonly verdict: PredictedVerdict; readonly pages: number; readonly share: number } | undefined {
  const startedAtNs = asked.elapsedNs;
  for (let ns = SCAN_EVERY_NS; ns < durationNs; ns += SCAN_EVERY_NS) {
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
