import type { StopSpec } from '../core/migration/stop/stops.ts';
import type { BytesPerSecond, Nanos } from '../core/units.ts';
import { leastRate } from './downtime-at-rate.ts';
import type { ModelPrediction } from './predictor.ts';

/**
 * The least whole b_d for which Pr[t_d ≤ limit] ≥ q; null: none is enough. Where b_d decides when the stop begins (`stop.maxDowntime`,
 * or a stop that would be broken off at the scenario's own b_d), the rounds are followed anew for each b_d. A larger b_d may then
 * stop earlier with more left: this one keeps the limit, and one byte a second less does not.
 * @param predictedAt the answer at any b_d
 * @param prediction the answer at the scenario's own
 */
export function requiredStopRate(
  predictedAt: (stopRateBytesPerSecond: BytesPerSecond) => ModelPrediction,
  { stop }: ModelPrediction,
  { maxDowntimeNs }: StopSpec,
  limitNs: Nanos,
  q: number,
): BytesPerSecond | null {
  if (stop !== null && maxDowntimeNs === undefined) {
    return stop.requiredStopRateBytesPerSecond(limitNs, q);
  }
  const downtimeNs = (stopRateBytesPerSecond: BytesPerSecond) =>
    predictedAt(stopRateBytesPerSecond).stop?.downtimeQuantileNs(q) ?? Number.POSITIVE_INFINITY;
  return leastRate((rate) => downtimeNs(rate) <= limitNs) ?? null;
}
