import { formatDuration, type Nanos } from '../../core/units.ts';
import type { ModelPrediction } from '../../model/predictor.ts';
import type { ModelledStop } from './stop-times.ts';

/** Why no b_d keeps the downtime within a limit with this probability. */
export function whyNoStopRate(
  { course, stop }: ModelPrediction,
  { fixed, preparingNs }: ModelledStop,
  limitNs: Nanos,
  probability: number,
): string {
  if (stop === null) {
    return course.converges === null
      ? `unknown: ${course.reason}`
      : `impossible at any b_d: the guest does not converge (${course.reason})`;
  }
  const { convergesProbability } = course;
  if (convergesProbability !== null && convergesProbability < probability) {
    return `impossible at any b_d: it converges with probability ${convergesProbability.toPrecision(2)} only`;
  }
  const least = stop.downtimeQuantileNs(probability, Number.POSITIVE_INFINITY);
  if (least <= limitNs) return 'impossible below 2^53 bytes a second';
  const parts = fixed.map(({ key, ns }) => `${formatDuration(ns)} of ${key}`);
  const pagesNs = preparingNs(stop.pagesLeftQuantile(probability));
  if (pagesNs > 0) parts.push(`${formatDuration(pagesNs)} of sender.cpuPerPage`);
  const fixedNs = fixed.reduce((sum, { ns }) => sum + ns, pagesNs);
  const linkNs = least - fixedNs;
  if (linkNs >= 1) parts.push(`${formatDuration(linkNs)} for which the link itself is too slow or down`);
  return `impossible at any b_d: at least ${formatDuration(least)} are left (${parts.join(', ')})`;
}
