import type { Random } from '../core/random.ts';
import type { DirtyCurve } from './curve.ts';
import type { DirtiedPoint } from './dirty-curve-fit.ts';

/** A curve of dirty pages of which a few points are known, and the rest is left to chance. */
export interface UncertainCurve {
  /** One of the curves that it may be. */
  draw(random: Random): DirtyCurve;
}

/**
 * What is thought of a curve before it is seen. Its slope is that of ln D over ln e: 1 where no page is written twice, 0
 * where all that is ever written is dirty. The figures are those of the odd runs of fifty real migrations (docs/import.md).
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
 * @param points in the order in which they were measured; at least one with pages
 */
export function uncertainCurve(points: readonly DirtiedPoint[]): UncertainCurve {
  const nodes = nodesOf(points);
  const [first, second] = nodes;
  if (first === undefined) throw new RangeError('a curve needs a point');
  const span = nodes.at(-1)!.logNs - first.logNs;
  const measured = second ? slopeBetween(first, second) : SLOPE;
  const share = second ? span / (span + SPAN_OF_PRIOR) : 0;
  const mean = share * measured + (1 - share) * SLOPE;
  const deviation = SLOPE_DEVIATION * Math.sqrt(1 - share / 2);
  return {
    draw(random) {
      const below: Node[] = [];
      const level = LEVEL_DEVIATION * random.normal();
      let slope = within(mean + deviation * random.normal());
      let node: Node = first;
      while (node.logNs > Math.log(SHORTEST_NS)) {
        node = { logNs: node.logNs - BIN, logPages: node.logPages - slope * BIN };
        below.unshift({ ...node, logPages: node.logPages + level });
        slope = within(slope + SLOPE_DRIFT * random.normal());
      }
      return throughNodes([...below, ...nodes]);
    },
  };
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
    if (!(exposureNs > 0) || !(pages > 0)) continue;
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
