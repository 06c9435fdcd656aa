import { LOOK_EVERY_NS } from '../core/migration/look.ts';
import { BandwidthMeter } from '../core/migration/meter.ts';
import type { GoOn } from '../core/migration/stop/stop-rule.ts';
import type { StopSpec } from '../core/migration/stop/stops.ts';
import type { StopTerms } from '../core/migration/stop-decision.ts';
import { AskedRule, type PredictedVerdict } from './asked-rule.ts';
import { type CurveGuest, CurveMemory } from './curve-memory.ts';
import { certainly, type DirtyPages, type Load, type PredictedRound } from './memory.ts';
import { type RatesGuest, RatesMemory } from './rates-memory.ts';

/** The live rounds to predict. */
export interface LiveInput extends Load, StopTerms {
  readonly guest: RatesGuest | CurveGuest;
}

export type Ending = ReturnType<typeof predictedRounds>;

/**
 * Follows the live rounds until the stop rule, the real one, ends them. It is asked at the end of every round, and
 * within rounds, if a migration asks it there too, at the instants at which its answer can change. A stop within a round is
 * a stop at a level: how much is left is certain then, and only the instant is left to chance.
 *
 * A curve is followed as a predictor does that plans ahead (A. Gudkov, qemu-devel, April 2023): the bandwidth is
 * known, the rule is asked at the ends only, but before the first round too, which may already be the stop.
 *
 * It always ends: once the rounds are alike they cost nothing to follow, those that cannot change the answer are passed over,
 * and the number of questions is limited. Beyond that nothing is known.
 */
export function predictedRounds(input: LiveInput) {
  const { guest } = input;
  const plansAhead = guest.kind === 'curve';
  const memory = plansAhead ? new CurveMemory(guest, input) : new RatesMemory(guest, input);
  const asked = new AskedRule(input, plansAhead ? null : new BandwidthMeter());
  const looksWithin = asked.looksWithin && !plansAhead;
  const settling = new Settling(
    plansAhead ? Number.POSITIVE_INFINITY : SETTLED_AFTER + PAGES_FOLLOWED_MAX / input.pages,
  );
  const roundPages: number[] = [];
  const ended = (verdict: PredictedVerdict, left: DirtyPages) => ({
    verdict,
    asked,
    /** What each round sends; the last of them may be cut short. Rounds that were passed over are not among them. */
    roundPages,
    /** How many of them there are before all that follow are alike; null: they never were. */
    distinctRounds: settling.settled ? settling.rounds : null,
    /** What is dirty at the end. */
    left,
  });
  let next = memory.predict();
  let pending: Float64Array | undefined;
  const pendingWithin = () => (pending ??= memory.pendingWithin(stepsIn(next)));
  let answer = plansAhead ? asked.ask(next.dirtyPages, true) : asked.begin(next.dirtyPages);
  while (answer.decision === 'go on') {
    const round = next;
    const lowest = looksWithin && settling.settled ? Math.min(...pendingWithin()) : undefined;
    if (settling.settled && changesNothing(asked, answer, lowest)) {
      if (answer.atNs === Number.POSITIVE_INFINITY) return ended(FOR_EVER, memory.dirtyPages());
      asked.repeatUntil(answer.atNs, round.durationNs);
    }
    const endNs = asked.elapsedNs + round.durationNs;
    const look = scanWithin(asked, round, looksWithin ? answer : undefined, pendingWithin);
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
      pending = undefined;
      next = memory.predict();
      settling.see(round, next);
    }
    answer = asked.ask(next.dirtyPages, true);
    if (answer.decision === 'go on') answer = allWait(asked, round, next, input.stop) ?? answer;
  }
  return ended(answer, memory.dirtyPages());
}

const FOR_EVER = { decision: 'give up', reason: 'it would go on for ever' } as const;

/** Whether further rounds that are all alike leave the answer as it is, up to the instant that it names. */
function changesNothing(
  asked: AskedRule,
  { pendingBelowBytes, holdsAtEnds = false }: GoOn,
  lowestPages = Number.POSITIVE_INFINITY,
): boolean {
  return holdsAtEnds && lowestPages >= asked.levelPages(pendingBelowBytes);
}

/** A migration that has nothing left to send live ends, unless it has rounds to count. */
function allWait(
  asked: AskedRule,
  round: PredictedRound,
  next: PredictedRound,
  stop: StopSpec,
): PredictedVerdict | undefined {
  if (Math.round(round.sentPages) > 0) return undefined;
  if (stop.rule === 'rounds' && asked.rounds.length < stop.rounds) return undefined;
  return asked.allWaits(next.dirtyPages);
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

/** Into how many steps a round is cut: as many as there could be looks, if they are not too many. */
function stepsIn({ durationNs }: PredictedRound): number {
  return Math.max(1, Math.min(STEPS_MAX, Math.ceil(durationNs / LOOK_EVERY_NS)));
}

/**
 * Asks within a round, at the instants at which the answer can change: when as little is pending as the last answer says,
 * at the instant that it names, and until a bandwidth has been measured every 10 ms.
 * @param before the answer before the round; undefined: only the time-out can pass within it
 * @returns what ended the migration, and the share of the round that was sent by then
 */
function scanWithin(
  asked: AskedRule,
  { durationNs }: PredictedRound,
  before: GoOn | undefined,
  pending: () => Float64Array,
): { readonly verdict: PredictedVerdict; readonly pages: number; readonly share: number } | undefined {
  const startedAtNs = asked.elapsedNs;
  let answer = before;
  if (durationNs === 0) return undefined;
  for (let ns = 0; ; ) {
    const dueNs = (answer ? answer.atNs : asked.timeoutNs) - startedAtNs;
    const lowNs = answer
      ? firstBelow(pending(), asked.levelPages(answer.pendingBelowBytes), ns / durationNs) * durationNs
      : Number.POSITIVE_INFINITY;
    const measuredNs =
      answer && asked.bandwidthBytesPerSecond === 0 ? ns + LOOK_EVERY_NS : Number.POSITIVE_INFINITY;
    ns = Math.max(ns + 1, Math.min(dueNs, lowNs, measuredNs));
    if (ns >= durationNs) return undefined;
    asked.sendUntil(startedAtNs + ns);
    const share = ns / durationNs;
    const pages = interpolated(pending(), share);
    const said = asked.ask(pages, false);
    if (said.decision !== 'go on') return { verdict: said, pages, share };
    if (answer) answer = said;
  }
}

/** The share of the way, from one share on, at which values at evenly spaced places first fall below a level; Infinity: not at all. */
function firstBelow(values: Float64Array, level: number, fromShare: number): number {
  const steps = values.length - 1;
  if (interpolated(values, fromShare) < level) return fromShare;
  for (let right = Math.floor(fromShare * steps) + 1; right <= steps; right++) {
    if (values[right]! >= level) continue;
    const [above, below] = [values[right - 1]!, values[right]!];
    return (right - 1 + (above - level) / (above - below)) / steps;
  }
  return Number.POSITIVE_INFINITY;
}

/** The value at a share of the way along values at evenly spaced places. */
function interpolated(values: Float64Array, share: number): number {
  const at = share * (values.length - 1);
  const left = Math.min(values.length - 2, Math.floor(at));
  return values[left]! + (at - left) * (values[left + 1]! - values[left]!);
}
