import { NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import type { DirtyCurve } from './curve.ts';
import { nonNegativeLeastSquares } from './non-negative-least-squares.ts';

/** Different pages that were dirtied within an exposure, which began with all of them clean. */
export interface DirtiedPoint {
  readonly exposureNs: Nanos;
  readonly pages: number;
}

/** Pages of which each is written equally often, by chance. */
export interface FittedClass {
  readonly pages: number;
  readonly writesPerSecond: number;
}

export interface DirtyCurveFit {
  readonly classes: readonly FittedClass[];
  /** D(e) = Σ n·(1 − exp(−r·e)) over the classes. */
  readonly curve: DirtyCurve;
  /** How far it is from what was usual at each exposure: the root mean square of the relative errors, by numbers of points. */
  readonly error: number;
  /** How far single points are from the curve: eight in ten of them lie between `low` and `high` times what it says. */
  readonly spread: { readonly low: number; readonly high: number };
}

/** Rates to choose from, for each factor of ten of the exposures. */
const RATES_PER_DECADE = 4;
/** Nobody looks again so soon. */
const SHORTEST_NS = 1e4;
/** Exposures whose ratio is less than this are taken together: of so many points the median is what is usual. */
const BIN_RATIO = 1.25;

/**
 * The classes of pages whose writes come nearest to measured points of D(e), in the least squares of relative errors, none
 * of them having fewer than no pages. Every D(e) of pages that are written independently at random is such a sum
 * (Bernstein: they are the completely monotone ones), saturating sets and slow ones together: so the shape is not assumed.
 * @param most pages that can be dirtied at all
 * @returns undefined: no point has a page
 */
export function fitDirtyCurve(points: readonly DirtiedPoint[], most: number): DirtyCurveFit | undefined {
  const usable = points.filter(({ exposureNs, pages }) => exposureNs >= SHORTEST_NS && pages > 0);
  if (usable.length === 0) return undefined;
  const usual = usualPoints(usable);
  const classes = fittedClasses(usual, most);
  const curve = curveOfClasses(classes);
  const square = usual.reduce(
    (all, one) => all + (one.weight * (curve(one.exposureNs) / one.pages - 1)) ** 2,
    0,
  );
  const ratios = usable
    .map(({ exposureNs, pages }) => pages / Math.max(1, curve(exposureNs)))
    .sort((one, other) => one - other);
  return {
    classes,
    curve,
    error: Math.sqrt(square / usual.reduce((all, { weight }) => all + weight ** 2, 0)),
    spread: { low: ratios[Math.floor(0.1 * ratios.length)]!, high: ratios[Math.floor(0.9 * ratios.length)]! },
  };
}

/** Rates so slow that they would need more pages than there are, are left out. */
function fittedClasses(points: readonly UsualPoint[], most: number): readonly FittedClass[] {
  const weights = points.map(({ weight }) => weight);
  let rates = ratesFor(points.map(({ exposureNs }) => exposureNs));
  for (;;) {
    const columns = rates.map((rate) =>
      points.map(({ exposureNs, pages, weight }) => (weight * written(rate, exposureNs)) / pages),
    );
    const pagesOf = nonNegativeLeastSquares(columns, weights);
    const sum = pagesOf.reduce((all, pages) => all + pages, 0);
    if (sum > most && rates.length > 1) rates = rates.slice(1);
    else {
      const scale = Math.min(1, most / sum);
      return rates
        .map((writesPerSecond, index) => ({ writesPerSecond, pages: Math.floor(pagesOf[index]! * scale) }))
        .filter(({ pages }) => pages > 0);
    }
  }
}

interface UsualPoint extends DirtiedPoint {
  /** The square root of the number of points. */
  readonly weight: number;
}

function usualPoints(points: readonly DirtiedPoint[]): readonly UsualPoint[] {
  const bins = new Map<number, DirtiedPoint[]>();
  for (const point of points) {
    const bin = Math.round(Math.log(point.exposureNs) / Math.log(BIN_RATIO));
    const others = bins.get(bin);
    if (others) others.push(point);
    else bins.set(bin, [point]);
  }
  return [...bins.values()].map((bin) => ({
    exposureNs: median(bin.map(({ exposureNs }) => exposureNs)),
    pages: median(bin.map(({ pages }) => pages)),
    weight: Math.sqrt(bin.length),
  }));
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[values.length >>> 1]!;
}

/** D(e) of classes of pages. */
export function curveOfClasses(classes: readonly FittedClass[]): DirtyCurve {
  return (ns) =>
    classes.reduce((sum, { pages, writesPerSecond }) => sum + pages * written(writesPerSecond, ns), 0);
}

/** Probability that a page is written within a time. */
function written(writesPerSecond: number, ns: Nanos): number {
  return -Math.expm1((-writesPerSecond * ns) / NANOS_PER_SECOND);
}

/** From pages that the longest exposure hardly sees to those that the shortest always does. */
function ratesFor(exposuresNs: readonly Nanos[]): readonly number[] {
  const slowest = (0.1 * NANOS_PER_SECOND) / Math.max(...exposuresNs);
  const fastest = (10 * NANOS_PER_SECOND) / Math.min(...exposuresNs);
  const steps = Math.ceil(RATES_PER_DECADE * Math.log10(fastest / slowest));
  return Array.from({ length: steps + 1 }, (_, step) => slowest * (fastest / slowest) ** (step / steps));
}
