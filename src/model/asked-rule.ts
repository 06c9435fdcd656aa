import type { BandwidthMeter } from '../core/migration/meter.ts';
import type { RoundRecord } from '../core/migration/migration-result.ts';
import type { StopRule, Verdict } from '../core/migration/stop/stop-rule.ts';
import { type StopSpec, stopRule } from '../core/migration/stop/stops.ts';
import { type Bytes, formatDuration, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import type { Load, PredictedRound } from './memory.ts';

/** After this many questions the answer is that it is not known: so the work is bounded. */
const QUESTIONS_MAX = 500_000;

/** How a predicted migration ends; `unknown`: that was not worked out. */
export type PredictedVerdict = Verdict | { readonly decision: 'unknown'; readonly reason: string };

/**
 * Asks a stop rule during a predicted migration as a real one would. Pages are rounded to whole numbers, because a rule
 * may wait for the last page, and an expectation never reaches zero.
 */
export class AskedRule {
  readonly rounds: RoundRecord[] = [];
  elapsedNs: Nanos = 0;
  readonly #load: Load;
  readonly #rule: StopRule;
  readonly #timeoutNs: Nanos;
  /** null: the bandwidth is known beforehand. */
  readonly #meter: BandwidthMeter | null;
  #questions = 0;

  constructor(load: Load, stop: StopSpec, timeoutNs: Nanos | null, meter: BandwidthMeter | null) {
    this.#load = load;
    this.#rule = stopRule(stop);
    this.#timeoutNs = timeoutNs ?? Number.POSITIVE_INFINITY;
    this.#meter = meter;
  }

  /** The link is never idle. */
  get sentBytes(): Bytes {
    return (this.elapsedNs * this.#load.rateBytesPerSecond) / NANOS_PER_SECOND;
  }

  /** What the stop would send with this many dirty pages. Pages that were never sent may hold zeros. */
  stopBytes(pages: number): Bytes {
    const { pageSizeBytes, overheadBytes, zeroPages } = this.#load;
    const savedBytes = this.rounds.length === 0 ? zeroPages * pageSizeBytes : 0;
    return pages * (pageSizeBytes + overheadBytes) - savedBytes;
  }

  sendUntil(ns: Nanos): void {
    const before = this.sentBytes;
    this.#meter?.sent((ns * this.#load.rateBytesPerSecond) / NANOS_PER_SECOND - before, ns - this.elapsedNs);
    this.elapsedNs = ns;
  }

  /** `share`: how much of the round was sent before it was cut short. */
  endRound(round: PredictedRound, share = 1): void {
    this.rounds.push({
      round: this.rounds.length + 1,
      dirtyPages: Math.round(round.dirtyPages),
      sentPages: Math.round(round.sentPages * share),
      deferredPages: Math.round(round.deferredPages),
      skippedPages: 0,
      zeroPages: Math.round(round.zeroPages * share),
      bytes: round.bytes * share,
      durationNs: round.durationNs * share,
    });
  }

  verdict(pages: number, roundEnded: boolean): Verdict | undefined {
    const { rateBytesPerSecond, pageSizeBytes, overheadBytes } = this.#load;
    this.#questions += 1;
    const pendingPages = Math.round(pages);
    return this.#rule({
      rounds: this.rounds,
      roundEnded,
      pendingPages,
      pendingBytes: this.stopBytes(pendingPages),
      deviceBytes: 0,
      elapsedNs: this.elapsedNs,
      sentBytes: this.sentBytes,
      bandwidthBytesPerSecond: this.#meter?.bytesPerSecond ?? rateBytesPerSecond,
      guestBytes: this.#load.pages * (pageSizeBytes + overheadBytes),
    });
  }

  /** Gives up after the time-out. After too many questions nothing is known. */
  timedOut(): PredictedVerdict | undefined {
    if (this.elapsedNs >= this.#timeoutNs) {
      return { decision: 'give up', reason: `not converged within ${formatDuration(this.#timeoutNs)}` };
    }
    if (this.#questions < QUESTIONS_MAX) return undefined;
    const after = `${this.rounds.length} rounds, ${formatDuration(this.elapsedNs)}`;
    return { decision: 'unknown', reason: `not worked out beyond ${after}` };
  }
}
