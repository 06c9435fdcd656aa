import type { Nanos } from '../units.ts';

/** How many different pages a guest dirties in a time that begins with all of them clean. Not decreasing. */
export type DirtyCurve = (ns: Nanos) => number;

/** One measured point of such a curve. */
export interface CurvePoint {
  readonly periodNs: Nanos;
  readonly pages: number;
}

/**
 * Piecewise linear through at least two points of ascending period; left of the first, the line through the first
 * two, never below 0; right of the last, its last slope; never above `most` (A. Gudkov, qemu-devel, April 2023).
 */
export function measuredCurve(points: readonly CurvePoint[], most: number): DirtyCurve {
  return (ns) => {
    let right = 1;
    while (right < points.length - 1 && points[right]!.periodNs < ns) right++;
    const [from, to] = [points[right - 1]!, points[right]!];
    const slope = (to.pages - from.pages) / (to.periodNs - from.periodNs);
    return Math.min(most, Math.max(0, from.pages + slope * (ns - from.periodNs)));
  };
}
