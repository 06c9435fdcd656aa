import type { BytesPerSecond, Nanos } from '../core/units.ts';
import { leastRate } from './downtime-at-rate.ts';
import { type ModelInput, type ModelPrediction, predictMigration } from './predictor.ts';

/**
 * The least whole b_d for which Pr[t_d ≤ limit] ≥ q; null: none is enough. Where b_d decides when the stop begins (`stop.maxDowntime`,
 * or a stop that would be broken off at the scenario's own b_d), the rounds are followed anew for each b_d. A larger b_d may then
 * stop earlier with more left: this one keeps the limit, and one byte a second less does not.
 * @param predicted the answer at the input's own b_d
 */
export function requiredStopRate(
  input: ModelInput,
  { stop }: ModelPrediction,
  limitNs: Nanos,
  q: number,
): BytesPerSecond | null {
  if (stop !== null && input.stop.maxDowntimeNs === undefined) {
    return stop.requiredStopRateBytesPerSecond(limitNs, q);
  }
  const downtimeNs = (stopRateBytesPerSecond: BytesPerSecond) =>
    predictMigration({ ...input, stopRateBytesPerSecond }).stop?.downtimeQuantileNs(q) ??
    Number.POSITIVE_INFINITY;
  return leastRate((rate) => downtimeNs(rate) <= limitNs) ?? null;
}
