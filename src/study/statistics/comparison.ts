import { type Estimate, summaryOf } from './estimate.ts';

/** How an alternative does against a base, in something of which less is better. */
export interface Comparison {
  /** Alternative − base, the median: below 0 the alternative is better. */
  readonly difference: Estimate;
  /** How likely it is that the alternative has less. Equal values count half: ½ is no effect, 1 the largest. */
  readonly superiority: number;
  /** The interval of the difference is confident and does not contain 0. */
  readonly certain: boolean;
}

/**
 * Under common random numbers, pair by pair: what both runs of a pair have in common cancels out. The median of the
 * differences with the interval of the sign test (Conover, Practical Nonparametric Statistics, §3.4).
 * @param base, alternative by repetition; a pair of which one is NaN does not count
 * @param exact neither differs from run to run: there is one difference
 * @returns undefined: there are no pairs
 */
export function paired(
  base: readonly number[],
  alternative: readonly number[],
  exact = false,
): Comparison | undefined {
  const differences = base
    .map((value, pair) => alternative[pair]! - value)
    .filter((value) => !Number.isNaN(value));
  if (differences.length === 0) return undefined;
  const { median: value, ...rest } = summaryOf(differences, exact);
  const zeros = differences.filter((difference) => difference === 0).length;
  const below = differences.filter((difference) => difference < 0).length;
  return {
    difference: { value, ...rest },
    superiority: (below + zeros / 2) / differences.length,
    certain: rest.confident && (rest.low > 0 || rest.high < 0),
  };
}
