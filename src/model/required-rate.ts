import type { BytesPerSecond, Nanos } from '../core/units.ts';
import { leastRate } from './downtime-at-rate.ts';
import type { ModelPrediction } from './predictor.ts';

/**
 * The least whole b_d for which Pr[t_d ≤ limit] ≥ q; null: none is enough. Where b_d decides when the stop begins (`stop.maxDowntime`,
 * or a stop that would be broken off at the scenario's own b_d), the rounds are followed anew for each b_d. A larger b_d may then
 * stop earlier with more left: this one keeps the limit, and one byte a second less does not.
 * @param anew the prediction at another b_d; without: b_d does not change what the stop has to send
 */
export function requiredStopRate(
  { stop }: ModelPrediction,
  limitNs: Nanos,
  q: number,
  anew?: (stopRateBytesPerSecond: BytesPerSecond) => ModelPrediction,
): BytesPerSecond | null {
  if (!anew) return stop?.requiredStopRateBytesPerSecond(limitNs, q) ?? null;
  const downtimeNs = (rate: BytesPerSecond) =>
    anew(rate).stop?.downtimeQuantileNs(q) ?? Number.POSITIVE_INFINITY;
  return leastRate((rate) => downtimeNs(rate) <= limitNs) ?? null;
}
