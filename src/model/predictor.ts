import { type Bytes, type BytesPerSecond, formatDuration, type Nanos } from '../core/units.ts';
import { Downtime, memoryTime, type StopTime } from './downtime-at-rate.ts';
import { type Ending, type LiveInput, predictedRounds } from './predicted-rounds.ts';

/** A migration to be predicted. */
export interface ModelInput extends LiveInput {
  /** b_d. */
  readonly stopRateBytesPerSecond: BytesPerSecond;
  /** How long the stop takes, in each of the cases that are equally likely. Without: t_d = n·(P + H)/b_d. */
  readonly stopTimes?: readonly StopTime[];
}

/** What the model says of it, as data. Times and sizes are expectations unless they say otherwise. */
export interface PredictedMigration {
  /** null: unknown, because it was not worked out; `reason` says how far it was. */
  readonly converges: boolean | null;
  readonly reason: string;
  /**
   * How likely it is to converge, as far as the rounds no longer shrink and only chance makes a difference. At least so likely, where
   * the rule's limit rises later. null: chance does not decide it, or it is not known how.
   */
  readonly convergesProbability: number | null;
  /** K: live rounds, one that the stop cuts short among them, the stop itself not. Without convergence: until given up; where that is unknown, as far as it was worked out. */
  readonly rounds: number;
  /** The pages that each of them sends; where they were all alike for long, not each of those. */
  readonly roundPages: readonly number[];
  /** n_{K+1}. Like what follows, null if the stop never comes. */
  readonly pagesLeft: { readonly mean: number; readonly deviation: number } | null;
  /** t_d: n_{K+1}·(P + H)/b_d, the memory part, which is all in the paper's model; and what `stopTimes` add to it. */
  readonly downtimeNs: Nanos | null;
  readonly downtimeP99Ns: Nanos | null;
  /** t_tot, the downtime included. */
  readonly totalNs: Nanos | null;
  readonly totalBytes: Bytes | null;
}

/** What can be asked of the predicted stop. RangeErrors for a q outside [0, 1]. */
export interface PredictedStop {
  /** The pages left that are not exceeded with probability q. */
  pagesLeftQuantile(q: number): number;
  /** The downtime that is not exceeded with probability q, at another b_d if one is given. */
  downtimeQuantileNs(q: number, stopRateBytesPerSecond?: BytesPerSecond): Nanos;
  /** The least whole b_d for which Pr[t_d ≤ limit] ≥ q by `downtimeQuantileNs`, with these pages left; null: none is enough. */
  requiredStopRateBytesPerSecond(limitNs: Nanos, q: number): BytesPerSecond | null;
}

/** The data, which is JSON, and the functions, which are not. `stop` is null if it never comes. */
export interface ModelPrediction {
  readonly course: PredictedMigration;
  readonly stop: PredictedStop | null;
}

/** Predicts a migration. RangeError for write rates of another number of pages, or what an order refuses. */
export function predictMigration(input: ModelInput): ModelPrediction {
  const ending = predictedRounds(input);
  const { verdict, asked, left } = ending;
  if (verdict.decision !== 'stop') return { course: withoutStop(ending), stop: null };
  const {
    stopRateBytesPerSecond,
    stopTimes = [memoryTime],
    stopTimeoutNs = Number.POSITIVE_INFINITY,
  } = input;
  const downtime = new Downtime(left, (pages) => asked.stopBytes(pages, ending.zeroPagesLeft), stopTimes);
  const downtimeNs = downtime.expectedNs(stopRateBytesPerSecond);
  if (downtimeNs > stopTimeoutNs) {
    const reason = `the stop takes ${formatDuration(downtimeNs)}, and is broken off after ${formatDuration(stopTimeoutNs)}`;
    return { course: withoutStop({ ...ending, verdict: { decision: 'give up', reason } }), stop: null };
  }
  const course: PredictedMigration = {
    converges: true,
    convergesProbability: ending.stopProbability,
    reason: verdict.reason,
    rounds: asked.roundCount,
    roundPages: ending.roundPages,
    pagesLeft: { mean: left.mean, deviation: left.deviation },
    downtimeNs,
    downtimeP99Ns: downtime.quantileNs(0.99, stopRateBytesPerSecond),
    totalNs: Math.round(asked.elapsedNs) + downtimeNs,
    totalBytes: Math.round(
      asked.sentBytes + asked.stopBytes(left.mean, ending.zeroPagesLeft) + (input.device?.stateBytes ?? 0),
    ),
  };
  const stop: PredictedStop = {
    pagesLeftQuantile: (q) => left.quantile(q),
    downtimeQuantileNs: (q, rate = stopRateBytesPerSecond) => downtime.quantileNs(q, rate),
    requiredStopRateBytesPerSecond: (limitNs, q) =>
      downtime.leastStopRate(Math.min(limitNs, stopTimeoutNs), q) ?? null,
  };
  return { course, stop };
}

function withoutStop({
  verdict,
  asked,
  roundPages,
  distinctRounds,
  stopProbability,
}: Ending): PredictedMigration {
  const last = asked.rounds.at(-1);
  const stuck = verdict.decision === 'give up' && last !== undefined && distinctRounds !== null;
  return {
    converges: verdict.decision === 'unknown' ? null : false,
    convergesProbability: stopProbability,
    reason: stuck
      ? `${verdict.reason}: rounds no longer shrink, ${last.dirtyPages} pages each`
      : verdict.reason,
    rounds: asked.roundCount,
    roundPages: roundPages.slice(0, distinctRounds ?? undefined),
    pagesLeft: null,
    downtimeNs: null,
    downtimeP99Ns: null,
    totalNs: null,
    totalBytes: null,
  };
}
