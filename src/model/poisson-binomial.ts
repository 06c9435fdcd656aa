import { convolve, type Distribution, mirrored, poisson, quantileOf, successes } from './distribution.ts';
import { normalQuantile } from './normal.ts';

/** The moments that a quantile needs. */
export type Moments = Pick<PoissonBinomial, 'mean' | 'variance' | 'skewness'>;

/**
 * Pages that are dirty more rarely, or clean more rarely, are pooled: their number is Poisson, but for an error in
 * probability of at most Σd²/max(1, Σd) ≤ 1e-5 (Le Cam; Barbour and Hall).
 */
const RARE = 1e-5;

/**
 * More multiplications than this, some 20 ms, and the quantile is approximated. As every page that is not pooled has
 * a variance of 1e-5 or more, their number then has a deviation of at least two: enough for the approximation.
 */
const WORK_MAX = 2e7;

/**
 * How many of a set of independent pages are dirty, page i with probability d_i: the Poisson-binomial distribution,
 * which n_2 has exactly under the model of Checconi, Cucinotta and Stein. Mean Σd, variance Σd(1 − d), third central
 * moment Σd(1 − d)(1 − 2d).
 */
export class PoissonBinomial {
  readonly mean: number;
  readonly variance: number;
  readonly skewness: number;
  /** Pages dirty for sure, and pages that can be dirty at all. */
  readonly least: number;
  readonly most: number;
  readonly #probabilities: Float64Array;
  #exact: Distribution | undefined;

  constructor(probabilities: Float64Array) {
    let [mean, variance, third, least, most] = [0, 0, 0, 0, 0];
    for (let page = 0; page < probabilities.length; page++) {
      const d = probabilities[page]!;
      const spread = d * (1 - d);
      mean += d;
      variance += spread;
      third += spread * (1 - 2 * d);
      if (d >= 1) least += 1;
      if (d > 0) most += 1;
    }
    this.mean = mean;
    this.variance = variance;
    this.skewness = variance > 0 ? third / variance / Math.sqrt(variance) : 0;
    this.least = least;
    this.most = most;
    this.#probabilities = probabilities;
  }

  /** The least whole number n with Pr[dirty pages ≤ n] ≥ q. Does not fall as q rises. RangeError unless 0 ≤ q ≤ 1. */
  quantile(q: number): number {
    insistOnProbability(q);
    if (q === 0) return this.least;
    if (q === 1) return this.most;
    this.#exact ??= this.#convolved();
    const pages = this.#exact ? quantileOf(this.#exact, q) : Math.ceil(refinedNormalQuantile(this, q) - 0.5);
    return Math.min(this.most, Math.max(this.least, pages));
  }

  #convolved(): Distribution | undefined {
    const probabilities = this.#probabilities;
    const uncertain = probabilities.filter((d) => d >= RARE && d <= 1 - RARE);
    // The distribution is some 22 deviations wide before what is negligible has been dropped from its ends.
    if (uncertain.length * 22 * (Math.sqrt(this.variance) + 1) > WORK_MAX) return undefined;
    let [sure, rarelyDirty, rarelyClean] = [0, 0, 0];
    for (const d of probabilities) {
      if (d < RARE) rarelyDirty += d;
      if (d <= 1 - RARE) continue;
      sure += 1;
      rarelyClean += 1 - d;
    }
    const pooled = convolve(poisson(rarelyDirty), mirrored(poisson(rarelyClean)));
    const { first, mass } = convolve(successes(uncertain), pooled);
    return { first: first + sure, mass };
  }
}

/** A quantile is asked for by a probability. */
export function insistOnProbability(q: number): void {
  if (!(q >= 0 && q <= 1)) throw new RangeError(`${q} is not a probability`);
}

/**
 * The normal quantile, bent by the skewness γ as Cornish and Fisher do to first order, x = z + γ(z² − 1)/6, but in
 * the form that Wilson and Hilferty gave it, a cube and so never falling in q:
 *
 *   x = (2/γ)·((1 + γz/6 − γ²/36)³ − 1),   quantile = mean + x·deviation
 *
 * Whoever wants a whole number subtracts ½ (the correction for continuity) and rounds up. ±∞ at q = 0 and 1.
 */
export function refinedNormalQuantile({ mean, variance, skewness }: Moments, q: number): number {
  const z = normalQuantile(q);
  if (!Number.isFinite(z)) return z;
  const bend = (skewness * z) / 6 - skewness ** 2 / 36;
  // (1 + bend)³ − 1 = bend·(3 + 3·bend + bend²), and bend·2/γ without the division.
  const x = (z / 3 - skewness / 18) * (3 + 3 * bend + bend ** 2);
  return mean + x * Math.sqrt(variance);
}
