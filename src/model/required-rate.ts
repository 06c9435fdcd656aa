import type { StopSpec } from '../core/migration/stop/stops.ts';
import type { BytesPerSecond, Nanos } from '../core/units.ts';
import { leastRate } from './downtime-at-rate.ts';
import type { ModelPrediction } from './predictor.ts';

/**
 * The least whole b_d for which Pr[it converges and t_d ≤ limit] ≥ q; null: none is enough. Where b_d decides when the stop begins
 * (`stop.maxDowntime`, or a stop that would be broken off at the scenario's own b_d), the rounds are followed anew for each b_d. A larger
 * b_d may then stop earlier with more left: this one keeps the limit, and one byte a second less does not.
 * @param predictedAt the answer at any b_d
 * @param prediction the answer at the scenario's own
 */
export function requiredStopRate(
  predictedAt: (stopRateBytesPerSecond: BytesPerSecond) => ModelPrediction,
  prediction: ModelPrediction,
  { maxDowntimeNs }: StopSpec,
  limitNs: Nanos,
  q: number,
): BytesPerSecond | null {
  const { stop } = prediction;
  if (stop !== null && maxDowntimeNs === undefined) {
    const ofStops = quantileOfStops(prediction, q);
    return ofStops > 1 ? null : stop.requiredStopRateBytesPerSecond(limitNs, ofStops);
  }
  const isEnough = (rate: BytesPerSecond) => {
    const predicted = predictedAt(rate);
    const ofStops = quantileOfStops(predicted, q);
    return predicted.stop !== null && ofStops <= 1 && predicted.stop.downtimeQuantileNs(ofStops) <= limitNs;
  };
  return leastRate(isEnough) ?? null;
}

/** Of the stops that come, so large a share must keep a limit for all migrations to keep it with probability q. */
function quantileOfStops({ course }: ModelPrediction, q: number): number {
  return q / (course.convergesProbability ?? 1);
}
