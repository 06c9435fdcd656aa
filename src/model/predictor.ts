import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import { insistOnProbability } from './poisson-binomial.ts';
import { type Ending, type LiveInput, predictedRounds } from './predicted-rounds.ts';

/** A migration to be predicted. */
export interface ModelInput extends LiveInput {
  /** b_d. */
  readonly stopRateBytesPerSecond: BytesPerSecond;
}

/** What the model says of it, as data. Times and sizes are expectations unless they say otherwise. */
export interface PredictedMigration {
  /** null: unknown, because it was not worked out; `reason` says how far it was. */
  readonly converges: boolean | null;
  readonly reason: string;
  /** K: live rounds, one that the stop cuts short among them, the stop itself not. Without convergence: until given up; where that is unknown, as far as it was worked out. */
  readonly rounds: number;
  /** The pages that each of them sends; where they were all alike for long, not each of those. */
  readonly roundPages: readonly number[];
  /** n_{K+1}. Like what follows, null if the stop never comes. */
  readonly pagesLeft: { readonly mean: number; readonly deviation: number } | null;
  /** t_d = n_{K+1}·(P + H)/b_d: the memory part, all that there is in the paper's model. */
  readonly downtimeNs: Nanos | null;
  readonly downtimeP99Ns: Nanos | null;
  /** t_tot, the downtime included. */
  readonly totalNs: Nanos | null;
  readonly totalBytes: Bytes | null;
}

/** What can be asked of the predicted stop. RangeErrors for a q outside [0, 1]. */
export interface PredictedStop {
  /** The downtime that is not exceeded with probability q. */
  downtimeQuantileNs(q: number): Nanos;
  /** The least whole b_d for which Pr[t_d ≤ limit] ≥ q. */
  requiredStopRateBytesPerSecond(limitNs: Nanos, q: number): BytesPerSecond;
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
  const stop = predictedStop(ending, input);
  const bytes = asked.stopBytes(left.mean);
  const downtimeNs = durationNs(bytes, input.stopRateBytesPerSecond);
  const course: PredictedMigration = {
    converges: true,
    reason: verdict.reason,
    rounds: asked.roundCount,
    roundPages: ending.roundPages,
    pagesLeft: { mean: left.mean, deviation: left.deviation },
    downtimeNs,
    downtimeP99Ns: stop.downtimeQuantileNs(0.99),
    totalNs: Math.round(asked.elapsedNs) + downtimeNs,
    totalBytes: Math.round(asked.sentBytes + bytes),
  };
  return { course, stop };
}

function withoutStop({ verdict, asked, roundPages, distinctRounds }: Ending): PredictedMigration {
  const last = asked.rounds.at(-1);
  const stuck = verdict.decision === 'give up' && last !== undefined && distinctRounds !== null;
  return {
    converges: verdict.decision === 'unknown' ? null : false,
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

/**
 * Pr[t_d ≤ L] ≥ q needs b_d ≥ n·(P + H)/L, n being the number of pages that is not exceeded with probability q: this
 * is b_d ≥ (μ + z_q·σ)·(P + H)/L with the quantile itself in place of its normal approximation.
 */
function predictedStop({ asked, left }: Ending, input: ModelInput): PredictedStop {
  const bytesAt = (q: number): Bytes => {
    insistOnProbability(q);
    return asked.stopBytes(left.quantile(q));
  };
  return {
    downtimeQuantileNs: (q) => durationNs(bytesAt(q), input.stopRateBytesPerSecond),
    requiredStopRateBytesPerSecond: (limitNs, q) => Math.ceil((bytesAt(q) * NANOS_PER_SECOND) / limitNs),
  };
}

function durationNs(bytes: Bytes, rateBytesPerSecond: BytesPerSecond): Nanos {
  return Math.round((bytes * NANOS_PER_SECOND) / rateBytesPerSecond);
}
