import { inputLimits } from '../input-limits.ts';
import type { Nanos } from '../units.ts';
import type { StepFailed } from './ask.ts';
import { type NextLook, nextLook } from './look.ts';
import { BandwidthMeter } from './meter.ts';
import type { RoundRecord, StopRecord } from './migration-result.ts';
import type { Pause } from './pause.ts';
import type { Plan } from './plan.ts';
import type { SentRound } from './round.ts';
import type { HandoverReached } from './steps.ts';
import type { GoOn, Progress, Verdict } from './stop/stop-rule.ts';
import { StopDecision } from './stop-decision.ts';

/** What has happened so far of a migration, and what the stop rule says of it. */
export class MigrationState {
  startedAtNs: Nanos | undefined;
  /** undefined: the guest was not paused. */
  pause: Pause | undefined;
  /** How far a hand-over came that failed. */
  handover: HandoverReached = {};
  stopReason = '';
  sentBytes = 0;
  readonly rounds: RoundRecord[] = [];
  readonly meter: BandwidthMeter;
  /** How long live rounds were sending, until their ends were answered. */
  sendingNs = 0;
  answeredRounds = 0;
  stop: StopRecord = { pages: 0, bytes: 0, durationNs: 0 };
  readonly plan: Plan;
  readonly #decision: StopDecision;
  #asked: { readonly progress: Progress; readonly answer: GoOn } | undefined;

  constructor(plan: Plan) {
    this.plan = plan;
    this.meter = new BandwidthMeter(plan.rateBytesPerSecond);
    this.#decision = new StopDecision(plan);
  }

  /** Notes how far the step came that was not carried out. */
  failed({ pausedSince, handover }: StepFailed): void {
    if (pausedSince !== undefined) this.pause ??= { pausedAtNs: pausedSince };
    this.handover = handover;
  }

  /** The migration starts. */
  begin(pendingPages: number, now: Nanos): Verdict | undefined {
    this.startedAtNs = now;
    const progress = this.#progress(pendingPages, now);
    return this.#heard(progress, this.#decision.begin(progress));
  }

  /** Whether the live rounds end here; `sent`: within a round, what has been sent of it. */
  verdict(pendingPages: number, now: Nanos, sent?: SentRound): Verdict | undefined {
    const { liveRounds } = inputLimits;
    if (this.rounds.length >= liveRounds) {
      return { decision: 'give up', reason: `${liveRounds} live rounds are as many as a record may have` };
    }
    const progress = this.#progress(pendingPages, now, sent);
    return this.#heard(progress, this.#decision.ask(progress));
  }

  #heard(progress: Progress, answer: Verdict | GoOn): Verdict | undefined {
    if (answer.decision !== 'go on') return answer;
    this.#asked = { progress, answer };
    return undefined;
  }

  /** Whether the guest is stopped after the next round, whatever is dirty then: only a number of rounds is known before. */
  get isLastRound(): boolean {
    const { stop } = this.plan;
    return stop.rule === 'rounds' && this.rounds.length + 1 >= stop.rounds;
  }

  /** A round had no page to send. Unless rounds are counted, only time can change anything. */
  allWaits(pendingPages: number, now: Nanos): Verdict | GoOn | undefined {
    const { stop } = this.plan;
    if (stop.rule === 'rounds' && this.rounds.length < stop.rounds) return undefined;
    return this.#decision.allWaits(this.#progress(pendingPages, now), this.#asked!.answer);
  }

  /** How long it is until an answer may change. */
  untilNs({ atNs }: GoOn, now: Nanos): Nanos {
    return Math.max(1, Math.ceil(this.startedAtNs! + atNs - now));
  }

  /** When to look at what is pending while a round is sent, and ask again. */
  nextLook(): NextLook {
    const { progress, answer } = this.#asked!;
    const timeoutNs = this.plan.timeoutNs ?? Number.POSITIVE_INFINITY;
    const { pages, atNs } = this.#decision.looksWithin
      ? nextLook(this.plan, answer, progress)
      : { pages: Number.POSITIVE_INFINITY, atNs: timeoutNs };
    // Later than this one by what a sum of fractions of nanoseconds does not round off.
    return { pages, atNs: this.startedAtNs! + Math.ceil(Math.max(atNs, progress.elapsedNs + 1)) };
  }

  #progress(pendingPages: number, now: Nanos, sent?: SentRound): Progress {
    const { pageBytes, pages, device } = this.plan;
    return {
      rounds: this.rounds,
      roundEnded: sent === undefined,
      pendingPages,
      pendingBytes: Math.max(0, pendingPages * pageBytes - (sent?.carriedBytes ?? 0)),
      elapsedNs: now - this.startedAtNs!,
      sentBytes: this.sentBytes + (sent?.bytes ?? 0),
      bandwidthBytesPerSecond: this.meter.bytesPerSecond,
      guestBytes: pages * pageBytes,
      deviceBytes: device?.stateBytes ?? 0,
    };
  }
}
