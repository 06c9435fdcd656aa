import { median, sampleWithReplacement } from 'simple-statistics';
import { Random } from '../../core/random.ts';
import { ascending, type Estimate, fewestFor, ONE_SIDE, quantile, summary } from './estimate.ts';

/** How an alternative does against a base, in something of which less is better. */
export interface Comparison {
  /** Alternative − base, in the middle: below 0 the alternative is better. */
  readonly difference: Estimate;
  /** How likely it is that the alternative has less, equal ones counting half: ½ is no effect, 1 the largest. */
  readonly superiority: number;
  /** The difference is there: its interval is confident and does not hold 0. */
  readonly certain: boolean;
}

/**
 * Under common random numbers, pair by pair: what both of a pair have in common, the luck of a seed, falls out. The
 * median of the differences with the interval of the sign test (Conover, Practical Nonparametric Statistics, §3.4).
 * @param base, alternative by repetition; a pair of which one is NaN does not count
 * @returns undefined: there are no pairs
 */
export function paired(base: readonly number[], alternative: readonly number[]): Comparison | undefined {
  const differences: number[] = [];
  for (let pair = 0; pair < Math.min(base.length, alternative.length); pair++) {
    const difference = alternative[pair]! - base[pair]!;
    if (!Number.isNaN(difference)) differences.push(difference);
  }
  if (differences.length === 0) return undefined;
  const { median: value, ...rest } = summary(differences);
  const zeros = differences.filter((difference) => difference === 0).length;
  const below = differences.filter((difference) => difference < 0).length;
  return compared({ value, ...rest }, (below + zeros / 2) / differences.length);
}

const RESAMPLES = 999;

/**
 * Of independent samples: the difference of their medians with its percentile bootstrap interval (Efron and Tibshirani,
 * An Introduction to the Bootstrap, §13.3), and the probability of superiority (Vargha and Delaney, 2000), which is
 * Mann and Whitney's U over the number of pairs; Cliff's delta is 2·superiority − 1.
 * @param seed of the resampling: the same samples and seed give the same interval
 * @returns undefined: one of them is empty
 */
export function unpaired(
  base: readonly number[],
  alternative: readonly number[],
  seed: number,
  resamples = RESAMPLES,
): Comparison | undefined {
  if (base.length === 0 || alternative.length === 0) return undefined;
  const random = Random.seeded(seed);
  const draw = (values: readonly number[]) =>
    median(sampleWithReplacement([...values], values.length, () => random.uniform()));
  const differences = Array.from({ length: resamples }, () => draw(alternative) - draw(base));
  const count = Math.min(base.length, alternative.length);
  const difference: Estimate = {
    count,
    value: median([...alternative]) - median([...base]),
    low: quantile(differences, ONE_SIDE),
    high: quantile(differences, 1 - ONE_SIDE),
    confident: count >= fewestFor(0.5),
  };
  return compared(difference, superiorityOf(base, alternative));
}

function compared(difference: Estimate, superiority: number): Comparison {
  const { low, high, confident } = difference;
  return { difference, superiority, certain: confident && (low > 0 || high < 0) };
}

/** Pr[alternative < base] + ½·Pr[equal] over all pairs, by one walk through both in ascending order. */
function superiorityOf(base: readonly number[], alternative: readonly number[]): number {
  const [bases, alternatives] = [ascending(base), ascending(alternative)];
  let [less, upTo, sum] = [0, 0, 0];
  for (const value of bases) {
    while (less < alternatives.length && alternatives[less]! < value) less++;
    while (upTo < alternatives.length && alternatives[upTo]! <= value) upTo++;
    sum += (less + upTo) / 2;
  }
  return sum / (bases.length * alternatives.length);
}
