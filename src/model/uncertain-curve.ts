import type { Random } from '../core/random.ts';
import type { Nanos } from '../core/units.ts';
import type { DirtyCurve } from './curve.ts';
import type { DirtiedPoint } from './dirty-curve-fit.ts';

/** Different pages that were dirtied within an exposure: at least and at most so many. */
export interface UncertainPoint {
  readonly exposureNs: Nanos;
  readonly low: number;
  readonly high: number;
}

/** A curve of dirty pages of which a few points are known, and the rest is left to chance. */
export interface UncertainCurve {
  /** One of the curves that it may be. */
  draw(random: Random): DirtyCurve;
}

/**
 * What is thought of a curve before it is seen. Its slope is that of ln D over ln e: 1 where no page is written twice, 0
 * where all that is ever written is dirty. The figures are guesses, made with twenty real migrations and a published curve in view (docs/import.md).
 */
const SLOPE = 0.68;
const SLOPE_DEVIATION = 0.22;
/** A measured slope over so much of ln e counts as much as what was thought before. */
const SPAN_OF_PRIOR = 1;
/** The slope where nothing was measured, from one node to the next. */
const SLOPE_DRIFT = 0.04;
/** All of what is not yet measured may be so much more or less: a load is not steady. */
const LEVEL_DEVIATION = 0.1;
/** Points that are so much alike in ln e are one. */
const BIN = Math.log(1.5);
/** The last of so many looks tell what is to come. */
const MOST_POINTS = 2_000;
/** Of such points one counts half as much as the one that came so many after it. */
const HALF_LIFE_POINTS = 3;
const SHORTEST_NS = 2e7;

interface Node {
  readonly logNs: number;
  readonly logPages: number;
}

/**
 * Between the points the curve is a power of the exposure. Below the shortest exposure, where the rounds to come are, it
 * goes on with a slope that is drawn: near the slope of the points, the nearer the more of the curve they show.
 * @param points in the order in which they were measured; at least one that may have pages
 */
export function uncertainCurve(points: readonly UncertainPoint[]): UncertainCurve {
  const usable = points.filter(({ exposureNs, high }) => exposureNs > 0 && high > 0).slice(-MOST_POINTS);
  if (usable.length === 0) throw new RangeError('a curve needs a point');
  const isCertain = usable.every(({ low, high }) => low === high);
  const known = isCertain
    ? nodesOf(usable.map(({ exposureNs, high }) => ({ exposureNs, pages: high })))
    : null;
  return {
    draw: (random) => curveThrough(known ?? nodesOf(usable.map((point) => drawn(point, random))), random),
  };
}

function drawn({ exposureNs, low, high }: UncertainPoint, random: Random): DirtiedPoint {
  return { exposureNs, pages: high - (high - low) * random.uniform() };
}

function curveThrough(nodes: readonly Node[], random: Random): DirtyCurve {
  const [first, second] = nodes;
  const span = nodes.at(-1)!.logNs - first!.logNs;
  const measured = second ? slopeBetween(first!, second) : SLOPE;
  const share = span / (span + SPAN_OF_PRIOR);
  const mean = share * measured + (1 - share) * SLOPE;
  const level = LEVEL_DEVIATION * random.normal();
  let slope = within(mean + SLOPE_DEVIATION * Math.sqrt(1 - share / 2) * random.normal());
  let node = first!;
  const below: Node[] = [];
  while (node.logNs > Math.log(SHORTEST_NS)) {
    node = { logNs: node.logNs - BIN, logPages: node.logPages - slope * BIN };
    below.unshift({ ...node, logPages: node.logPages + level });
    slope = within(slope + SLOPE_DRIFT * random.normal());
  }
  return throughNodes([...below, ...nodes]);
}

function within(slope: number): number {
  return Math.min(1, Math.max(0, slope));
}

function slopeBetween(one: Node, other: Node): number {
  return within((other.logPages - one.logPages) / (other.logNs - one.logNs));
}

/** Of ascending exposures; of points that are nearly at one, what the last ones say. */
function nodesOf(points: readonly DirtiedPoint[]): readonly Node[] {
  const bins = new Map<number, { weight: number; logNs: number; logPages: number }>();
  for (const [index, { exposureNs, pages }] of points.entries()) {
    const logNs = Math.log(exposureNs);
    const key = Math.round(logNs / BIN);
    const weight = 2 ** ((index - points.length) / HALF_LIFE_POINTS);
    const bin = bins.get(key) ?? { weight: 0, logNs: 0, logPages: 0 };
    bins.set(key, {
      weight: bin.weight + weight,
      logNs: bin.logNs + weight * logNs,
      logPages: bin.logPages + weight * Math.log(pages),
    });
  }
  return [...bins.values()]
    .map(({ weight, logNs, logPages }) => ({ logNs: logNs / weight, logPages: logPages / weight }))
    .sort((one, other) => one.logNs - other.logNs);
}

/** Powers between the nodes; beyond the first and the last their slopes go on, which never fall. */
function throughNodes(nodes: readonly Node[]): DirtyCurve {
  const logNs = Float64Array.from(nodes, (node) => node.logNs);
  const logPages = Float64Array.from(nodes, (node) => node.logPages);
  const slopes = Float64Array.from(nodes.slice(1), (node, index) => slopeBetween(nodes[index]!, node));
  return (ns) => {
    if (ns <= 0) return 0;
    const log = Math.log(ns);
    let right = 1;
    while (right < logNs.length - 1 && logNs[right]! < log) right += 1;
    return Math.exp(logPages[right]! - slopes[right - 1]! * (logNs[right]! - log));
  };
}
