import { normalQuantile } from '../../model/normal.ts';

/** Two amounts of a reservation, and of what sample they were found. */
export interface Edges {
  /** The least with which none of the sample is missed. */
  readonly none: number;
  /** The least with which a few of it are missed at most. */
  readonly few: number;
  readonly missed: number;
  readonly sample: number;
}

/** Of what the target allows to be missed, so much is aimed at. */
const PART_OF_MISSES = 0.01;
/** A cut of a tenth must be missed: so far an amount may lie above what the target just asks for. */
const MOST_ABOVE = 1.08;

/**
 * The amount at which far less is missed than the target allows, but not so much that a tenth less would still keep it.
 * What a migration needs is taken to be spread normally beyond the two amounts, which are order statistics of the sample:
 * the (m + 1)-th largest of n lies at the quantile 1 − (m + 0.7)/(n + 0.4) (Benard's approximation).
 */
export function safeAmount({ none, few, missed, sample }: Edges, q: number): number {
  const scoreOf = (count: number) => normalQuantile(1 - (count + 0.7) / (sample + 0.4));
  const [atFew, atNone] = [scoreOf(missed), scoreOf(0)];
  const at = (probability: number) =>
    few + ((none - few) * (normalQuantile(probability) - atFew)) / (atNone - atFew);
  const justEnough = Math.max(few, at(q));
  return Math.min(at(1 - PART_OF_MISSES * (1 - q)), justEnough * MOST_ABOVE);
}
