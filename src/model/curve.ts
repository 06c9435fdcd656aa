import { NANOS_PER_SECOND, type Nanos } from '../core/units.ts';

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
  for (let i = 1; i < points.length; i++) {
    if (points[i]!.periodNs <= points[i - 1]!.periodNs) throw new RangeError('the periods must ascend');
  }
  if (points.length < 2) throw new RangeError(`a curve needs two points, not ${points.length}`);
  return (ns) => {
    let right = 1;
    while (right < points.length - 1 && points[right]!.periodNs < ns) right++;
    const [from, to] = [points[right - 1]!, points[right]!];
    const slope = (to.pages - from.pages) / (to.periodNs - from.periodNs);
    return Math.min(most, Math.max(0, from.pages + slope * (ns - from.periodNs)));
  };
}

/** Always another page, until the working set is through: min(rate·t, W). A sequential writer. */
export function linearCurve(pagesPerSecond: number, workingSetPages: number): DirtyCurve {
  return (ns) => Math.min((pagesPerSecond * ns) / NANOS_PER_SECOND, workingSetPages);
}

/** Writes that fall evenly on a working set, more and more of them on dirty pages: W·(1 − exp(−rate·t/W)). */
export function saturatingCurve(writesPerSecond: number, workingSetPages: number): DirtyCurve {
  return (ns) =>
    -workingSetPages * Math.expm1((-writesPerSecond * ns) / (NANOS_PER_SECOND * workingSetPages));
}
