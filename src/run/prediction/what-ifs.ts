import type { Observation } from '../../observe/import/observation.ts';
import {
  measuredRate,
  type ObservedPrediction,
  predictObservation,
  QEMU,
  type ToldBesides,
} from './predict-observation.ts';

/** The same migration with one thing changed. */
export interface WhatIf
  extends Pick<ObservedPrediction, 'endsByItself' | 'within' | 'totalNs' | 'downtimeNs'> {
  readonly change: string;
}

/** What one change would do. That which is so already is not among them. */
export function whatIfs(known: Observation, told: ToldBesides): readonly WhatIf[] {
  const { parameters, samples } = known;
  const limitNs = told.downtimeLimitNs ?? parameters.downtimeLimitNs ?? QEMU.downtimeLimitNs;
  const rate = told.maxBandwidthBytesPerSecond ?? measuredRate(samples) ?? QEMU.maxBandwidthBytesPerSecond;
  const believed =
    told.availableSwitchoverBandwidthBytesPerSecond ?? parameters.availableSwitchoverBandwidthBytesPerSecond;
  const { stopRateBytesPerSecond } = told;
  const changes: readonly [string, ToldBesides][] = [
    ...((told.autoConverge ?? parameters.autoConverge)
      ? []
      : [['auto-converge on', { autoConverge: true }] as [string, ToldBesides]]),
    ['downtime limit doubled', { downtimeLimitNs: 2 * limitNs }],
    ['bandwidth doubled', { maxBandwidthBytesPerSecond: 2 * rate }],
    ...(stopRateBytesPerSecond && !believed
      ? [
          ['b_d told to QEMU', { availableSwitchoverBandwidthBytesPerSecond: stopRateBytesPerSecond }] as [
            string,
            ToldBesides,
          ],
        ]
      : []),
  ];
  return changes.map(([change, changed]) => {
    const { endsByItself, within, totalNs, downtimeNs } = predictObservation(known, { ...told, ...changed });
    return { change, endsByItself, within, totalNs, downtimeNs };
  });
}
