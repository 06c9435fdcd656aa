import type { BandwidthMeter } from '../core/migration/meter.ts';
import type { RoundRecord } from '../core/migration/migration-result.ts';
import type { GoOn, Progress, Verdict } from '../core/migration/stop/stop-rule.ts';
import { StopDecision, type StopTerms } from '../core/migration/stop-decision.ts';
import { type Bytes, formatDuration, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import type { Load, PredictedRound } from './memory.ts';

/** After this many questions the answer is that it is not known: so the work is bounded. */
const QUESTIONS_MAX = 500_000;

/** How a predicted migration ends; `unknown`: that was not worked out. */
export type PredictedVerdict = Verdict | { readonly decision: 'unknown'; readonly reason: string };

/**
 * Asks a stop rule during a predicted migration as a real one would, and holds it to what the plan allows. What is pending
 * flows; less than half a page is nothing, because a rule may wait for the last page, and an expectation never reaches zero.
 */
export class AskedRule {
  readonly rounds: RoundRecord[] = [];
  elapsedNs: Nanos = 0;
  readonly #load: Load & StopTerms;
  readonly timeoutNs: Nanos;
  readonly #decision: StopDecision;
  /** null: the bandwidth is known beforehand. */
  readonly #meter: BandwidthMeter | null;
  #questions = 0;
  #roundsLeftOut = 0;
  /** What the rounds that have ended sent, and when the last of them did. */
  #endedBytes: Bytes = 0;
  #endedAtNs: Nanos = 0;

  constructor(load: Load & StopTerms, meter: BandwidthMeter | null) {
    this.#load = load;
    this.timeoutNs = load.timeoutNs ?? Number.POSITIVE_INFINITY;
    this.#decision = new StopDecision(load);
    this.#meter = meter;
  }

  /** Whether the rule is asked within rounds too. */
  get looksWithin(): boolean {
    return this.#decision.looksWithin;
  }

  /** The live rounds so far: those in `rounds`, and those that were like the last of them. */
  get roundCount(): number {
    return this.rounds.length + this.#roundsLeftOut;
  }

  /** Within a round at an even rate. */
  get sentBytes(): Bytes {
    return (
      this.#endedBytes +
      ((this.elapsedNs - this.#endedAtNs) * this.#load.rateBytesPerSecond) / NANOS_PER_SECOND
    );
  }

  get bandwidthBytesPerSecond(): number {
    const { rateBytesPerSecond, seenBytesPerSecond } = this.#load;
    if (this.#meter === null) return rateBytesPerSecond;
    const { bytesPerSecond } = this.#meter;
    return bytesPerSecond === 0 ? 0 : (seenBytesPerSecond ?? bytesPerSecond);
  }

  /** What the stop would send with this many dirty pages, so many of which hold zeros. */
  stopBytes(pages: number, zeroPages: number): Bytes {
    return this.pageBytes * pages - Math.min(pages, zeroPages) * this.#load.pageSizeBytes;
  }

  /** P + H. */
  get pageBytes(): Bytes {
    return this.#load.pageSizeBytes + this.#load.overheadBytes;
  }

  /** Fewer pages than these are fewer bytes than those, or none: by so little that the difference cannot be seen. */
  levelPages(bytes: Bytes): number {
    return Math.max(0.4999, (bytes / this.pageBytes) * (1 - 1e-6));
  }

  sendUntil(ns: Nanos): void {
    const before = { bytes: this.sentBytes, ns: this.elapsedNs };
    this.elapsedNs = ns;
    this.#meter?.sent(this.sentBytes - before.bytes, ns - before.ns);
  }

  /** `share`: how much of the round was sent before it was cut short. */
  endRound(round: PredictedRound, share = 1): void {
    this.#endedBytes += round.bytes * share;
    this.#endedAtNs = this.elapsedNs;
    this.rounds.push({
      round: this.roundCount + 1,
      dirtyPages: Math.round(round.dirtyPages),
      sentPages: Math.round(round.sentPages * share),
      deferredPages: Math.round(round.deferredPages),
      skippedPages: 0,
      zeroPages: Math.round(round.zeroPages * share),
      bytes: round.bytes * share,
      durationNs: round.durationNs * share,
    });
  }

  /** How many rounds of this length end before an instant. */
  roundsUntil(ns: Nanos, durationNs: Nanos): number {
    return durationNs === 0 ? 0 : Math.max(0, Math.ceil((ns - this.elapsedNs) / durationNs) - 1);
  }

  /** So many rounds like the last one pass. */
  repeat(rounds: number, durationNs: Nanos): void {
    this.#roundsLeftOut += rounds;
    this.#endedBytes += rounds * (this.rounds.at(-1)?.bytes ?? 0);
    this.elapsedNs += rounds * durationNs;
    this.#endedAtNs = this.elapsedNs;
  }

  /** Before the first round. */
  begin(pages: number): PredictedVerdict | GoOn {
    return this.#decision.begin(this.#progress(pages, true));
  }

  /** @param roundEnded whether a round has just ended, of which this is left */
  ask(pages: number, roundEnded: boolean): PredictedVerdict | GoOn {
    this.#questions += 1;
    const answer = this.#decision.ask(this.#progress(pages, roundEnded));
    if (answer.decision !== 'go on' || this.#questions < QUESTIONS_MAX) return answer;
    const after = `${this.roundCount} rounds, ${formatDuration(this.elapsedNs)}`;
    return { decision: 'unknown', reason: `not worked out beyond ${after}` };
  }

  /** All that is dirty waits for the stop. @param answer why it has not come yet */
  allWaits(pages: number, answer: GoOn): Verdict | GoOn {
    return this.#decision.allWaits(this.#progress(pages, true), answer);
  }

  /** A round in which nothing is sent, until an instant. */
  waitUntil(ns: Nanos): void {
    this.#roundsLeftOut += 1;
    this.#endedBytes = this.sentBytes;
    this.elapsedNs = Math.max(this.elapsedNs, ns);
    this.#endedAtNs = this.elapsedNs;
  }

  #progress(pages: number, roundEnded: boolean): Progress {
    const pendingPages = Math.round(pages);
    // A model that plans ahead knows which pages hold zeros; the others count whole pages, as a migration does.
    const known = this.#meter === null && this.rounds.length === 0 ? this.#load.zeroPages : 0;
    return {
      ...{ rounds: this.rounds, roundEnded, pendingPages },
      pendingBytes: pendingPages === 0 ? 0 : this.stopBytes(pages, known),
      deviceBytes: this.#load.device?.stateBytes ?? 0,
      elapsedNs: this.elapsedNs,
      sentBytes: this.sentBytes,
      bandwidthBytesPerSecond: this.bandwidthBytesPerSecond,
      guestBytes: this.#load.pages * this.pageBytes,
    };
  }
}
