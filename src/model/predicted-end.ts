import { Random } from '../core/random.ts';
import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../core/units.ts';
import {
  BURST_NS,
  type CourseEnd,
  type CourseState,
  type CourseTerms,
  predictedCourse,
} from './predicted-course.ts';
import { type UncertainPoint, uncertainCurve } from './uncertain-curve.ts';

export interface EndInput {
  readonly state: CourseState;
  /** Of the pages left, up to so many hold zeros, which cost next to nothing. Without: none. */
  readonly mostZeroPages?: number;
  readonly terms: CourseTerms;
  /** What is known of D(e), in the order in which it was measured. */
  readonly points: readonly UncertainPoint[];
  /** b_d, as one figure says it of all stops. */
  readonly stopRateBytesPerSecond: BytesPerSecond;
  /** P + H. */
  readonly bytesPerPage: Bytes;
  /** Totals whose probabilities are asked for. */
  readonly withinNs: readonly Nanos[];
  readonly seed: number;
}

/** What lies below them in so many of a hundred cases: p5 and p95 hold 90 %. */
export interface Quantiles {
  readonly p5: number;
  readonly p10: number;
  readonly p50: number;
  readonly p90: number;
  readonly p95: number;
}

/** Of many courses that the migration may take. */
export interface PredictedEnd {
  readonly endsByItself: number;
  /** That it has ended by then, in the order asked. */
  readonly within: readonly number[];
  /** The downtime included, of the courses that end; null: too few do. */
  readonly totalNs: Quantiles | null;
  /** Of courses that do not end: of the longest stops that the rule allows, as when the load ends. */
  readonly downtimeNs: Quantiles;
  readonly throttlePercent: Quantiles;
}

const COURSES = 500;
/** Fewer say nothing of quantiles. */
const FEWEST_ENDS = 10;
const [COURSE_STREAM, STOP_STREAM] = [11, 12];
/**
 * How far b_d is from one stop to another, in ln: that of twenty KVM migrations of one machine over one link under four loads
 * (docs/decisions/100-what-a-stated-b-d-is-worth.md).
 */
const STOP_RATE_DEVIATION = 0.38;

/** Lets a migration go on many times, each time under another of the curves that its guest may have. */
export function predictEnd(input: EndInput): PredictedEnd {
  const { state, mostZeroPages = 0, terms, points, withinNs, seed } = input;
  const [random, stops] = [Random.seeded(seed, COURSE_STREAM), Random.seeded(seed, STOP_STREAM)];
  const curve = uncertainCurve(points);
  const ends = Array.from({ length: COURSES }, () => {
    const morePages = mostZeroPages * random.uniform();
    const leftPages = state.leftPages - morePages;
    const zeroPages = (state.zeroPages ?? 0) + morePages;
    const course = predictedCourse({ ...state, leftPages, zeroPages }, terms, curve.draw(random), random);
    return { ...course, downtimeNs: downtimeOf(course, input, stops) };
  });
  const totals = ends.flatMap(({ endNs, downtimeNs }) => (endNs === null ? [] : [endNs + downtimeNs]));
  return {
    endsByItself: totals.length / COURSES,
    within: withinNs.map((limitNs) => totals.filter((total) => total <= limitNs).length / COURSES),
    totalNs: totals.length < FEWEST_ENDS ? null : quantiles(totals),
    downtimeNs: quantiles(ends.map(({ downtimeNs }) => downtimeNs)),
    throttlePercent: quantiles(ends.map(({ throttlePercent }) => throttlePercent)),
  };
}

function downtimeOf({ endNs, leftPages }: CourseEnd, input: EndInput, random: Random): Nanos {
  const { thresholdPages, pagesPerSecond } = input.terms;
  const burstPages = (pagesPerSecond * BURST_NS) / NANOS_PER_SECOND;
  const pages = endNs === null ? Math.max(0, thresholdPages - random.uniform() * burstPages) : leftPages;
  const stopRate = input.stopRateBytesPerSecond * Math.exp(STOP_RATE_DEVIATION * random.normal());
  return (pages * input.bytesPerPage * NANOS_PER_SECOND) / stopRate;
}

function quantiles(values: readonly number[]): Quantiles {
  const ascending = values.toSorted((one, other) => one - other);
  const at = (share: number) =>
    ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))]!;
  return { p5: at(0.05), p10: at(0.1), p50: at(0.5), p90: at(0.9), p95: at(0.95) };
}
