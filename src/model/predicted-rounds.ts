import { TOLERANCE } from '../core/migration/look.ts';
import { BandwidthMeter } from '../core/migration/meter.ts';
import type { GoOn } from '../core/migration/stop/stop-rule.ts';
import type { StopSpec } from '../core/migration/stop/stops.ts';
import type { StopTerms } from '../core/migration/stop-decision.ts';
import type { Bytes } from '../core/units.ts';
import { AskedRule, type PredictedVerdict } from './asked-rule.ts';
import { type CurveGuest, CurveMemory } from './curve-memory.ts';
import { certainly, type DirtyPages, type Load, type ModelledMemory, type PredictedRound } from './memory.ts';
import { type RatesGuest, RatesMemory } from './rates-memory.ts';
import { type SampledGuest, SampledMemory } from './sampled-memory.ts';
import { lessCarried, scanWithin, stepsIn } from './scan-within.ts';
import { SettledRounds } from './settled-rounds.ts';

/** The live rounds to predict. */
export interface LiveInput extends Load, StopTerms {
  readonly guest: RatesGuest | CurveGuest | SampledGuest;
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
  const memory = memoryOf(input);
  const asked = new AskedRule(input, plansAhead ? null : new BandwidthMeter(input.rateBytesPerSecond));
  const looksWithin = asked.looksWithin && !plansAhead;
  const settling = new Settling(
    plansAhead ? Number.POSITIVE_INFINITY : SETTLED_AFTER + PAGES_FOLLOWED_MAX / input.pages,
    guest.kind === 'sampled' && guest.pages.some(({ isRandom }) => isRandom) ? ALIKE_SAMPLES : ALIKE,
  );
  const roundPages: number[] = [];
  /** What ends it with a stop at a number that was drawn says nothing of how likely that was. */
  const gaveUp = ({ decision }: PredictedVerdict) =>
    decision === 'give up' && settled ? settled.endedProbability : null;
  const ended = (verdict: PredictedVerdict, left: DirtyPages, share = 0, probability = gaveUp(verdict)) => ({
    verdict,
    asked,
    /** What each round sends; the last of them may be cut short. Rounds that were passed over are not among them. */
    roundPages,
    /** How many of them there are before all that follow are alike; null: they never were. */
    distinctRounds: settling.settled ? settling.rounds : null,
    /** What is dirty at the end. */
    left,
    /** How likely the rounds that are alike but for chance bring it to its stop; null: they are not asked, or leave nothing to chance. */
    stopProbability: leftToChance(probability),
    /** So many of them hold zeros. */
    zeroPagesLeft: memory.zeroPagesLeft(share),
  });
  let next = memory.predict();
  let pending: Record<'whole' | 'lessCarried', Float64Array> | undefined;
  let settled: SettledRounds | undefined;
  const unsettled = new SettledRounds(certainly(0), 0);
  const carriedShare = guest.kind === 'curve' || guest.clear === 'page' ? 0 : (input.readAfterSlots ?? 0);
  const pendingWithin = (belowBytes: Bytes) => {
    if (!pending) {
      const whole = memory.pendingWithin(stepsIn(next));
      pending = { whole, lessCarried: lessCarried(whole, next, carriedShare) };
    }
    // Nearer to a level than a page, a migration looks within pages (core/migration/look.ts).
    const looksWithinPages = belowBytes > 0 && TOLERANCE * belowBytes < asked.pageBytes;
    return looksWithinPages ? pending.lessCarried : pending.whole;
  };
  const swayWithin = () => (settled ?? unsettled).swayWithin();
  let answer = plansAhead ? asked.ask(next.dirtyPages, true) : asked.begin(next.dirtyPages);
  while (answer.decision === 'go on') {
    const round = next;
    if (settling.settled) settled ??= new SettledRounds(memory.swayingPages(), memory.nothingToSend());
    const lowest =
      looksWithin && settled ? Math.min(...pendingWithin(answer.pendingBelowBytes)) : round.dirtyPages;
    if (settled && changesNothing(asked, answer, looksWithin ? lowest : undefined)) {
      const rounds = asked.roundsUntil(answer.atNs, round.durationNs);
      const level = asked.levelPages(answer.pendingBelowBytes);
      const chance = settled.endsWithin(rounds, level, lowest);
      if (!chance && answer.atNs === Number.POSITIVE_INFINITY) return ended(FOR_EVER, memory.dirtyPages());
      asked.repeat(chance?.round ?? rounds, round.durationNs);
      if (chance) {
        const isOut = chance.found === 'nothing to send';
        const pages = chance.found === 'nothing to send' ? round.deferredPages : chance.found;
        const verdict = isOut ? asked.allWaits(pages, answer) : asked.ask(pages, true);
        if (verdict.decision !== 'go on')
          return ended(verdict, certainly(pages), 0, settled.endedProbability);
        if (isOut) asked.waitUntil(verdict.atNs);
      }
    }
    const endNs = asked.elapsedNs + round.durationNs;
    const look = scanWithin(asked, round, looksWithin ? answer : undefined, pendingWithin, swayWithin);
    if (look) {
      asked.endRound(round, look.share);
      roundPages.push(round.sentPages * look.share);
      return ended(look.verdict, certainly(look.pages), look.share);
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
    answer = asked.ask(Math.max(0, next.dirtyPages + (settled?.sway() ?? 0)), true);
    if (answer.decision !== 'go on' || !hasNothing(asked, round, settled, input.stop)) continue;
    answer = asked.allWaits(next.deferredPages, answer);
    if (answer.decision !== 'go on') continue;
    const waitedFromNs = asked.elapsedNs;
    asked.waitUntil(answer.atNs);
    if (!settling.settled) {
      memory.wait(asked.elapsedNs - waitedFromNs);
      pending = undefined;
      next = memory.predict();
    }
    answer = asked.ask(next.dirtyPages, true);
  }
  return ended(answer, memory.dirtyPages());
}

function memoryOf(input: LiveInput): ModelledMemory {
  const { guest } = input;
  if (guest.kind === 'curve') return new CurveMemory(guest, input);
  return guest.kind === 'sampled' ? new SampledMemory(guest, input) : new RatesMemory(guest, input);
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

/** @returns null: certain, or not known */
function leftToChance(probability: number | null): number | null {
  return probability !== null && probability > 0 && probability < 1 ? probability : null;
}

/** Whether a round had no page to send, and there are no rounds to count. */
function hasNothing(
  asked: AskedRule,
  round: PredictedRound,
  settled: SettledRounds | undefined,
  stop: StopSpec,
): boolean {
  if (settled ? !settled.hasNothing() : Math.round(round.sentPages) > 0) return false;
  return stop.rule !== 'rounds' || asked.rounds.length >= stop.rounds;
}

/** Two rounds of n pages are alike if they differ by less than this share of √n, which is what chance may do to them. */
const ALIKE = 1e-3;
/** Of a sample each round is another one. */
const ALIKE_SAMPLES = 0.5;
/** After so many rounds, and some more of a small guest, they are taken not to change any more. */
const SETTLED_AFTER = 30;
const PAGES_FOLLOWED_MAX = 1e6;

/** Whether the rounds have stopped changing: twice in a row the next was like the last. */
class Settling {
  rounds = 0;
  #alike = 0;
  #beforeLast: PredictedRound | undefined;
  readonly #roundsMax: number;

  readonly #alikeShare: number;

  /** @param alikeShare of √n */
  constructor(roundsMax: number, alikeShare: number) {
    this.#roundsMax = roundsMax;
    this.#alikeShare = alikeShare;
  }

  get settled(): boolean {
    return this.#alike >= 2 || this.rounds >= this.#roundsMax;
  }

  /** A long round may always be followed by a short one: so the one before counts too. */
  see(last: PredictedRound, next: PredictedRound): void {
    const near = (one: number, other: number) => Math.abs(one - other) <= this.#alikeShare * Math.sqrt(one);
    const isLike = (other: PredictedRound | undefined) =>
      other !== undefined && near(other.dirtyPages, next.dirtyPages) && near(other.sentPages, next.sentPages);
    this.#alike = isLike(last) || isLike(this.#beforeLast) ? this.#alike + 1 : 0;
    this.#beforeLast = last;
    this.rounds += 1;
  }
}
