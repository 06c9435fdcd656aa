import {
  binomial,
  convolve,
  type Distribution,
  mirrored,
  poisson,
  quantileOf,
  successes,
} from './distribution.ts';
import { normalQuantile } from './normal.ts';

/** The moments that a quantile needs. */
export type Moments = Pick<PoissonBinomial, 'mean' | 'variance' | 'skewness'>;

/**
 * Pages that are dirty more rarely, or clean more rarely, are pooled: their number is Poisson, but for an error in
 * probability of at most Σd²/max(1, Σd) ≤ 1e-5 (Le Cam; Barbour and Hall).
 */
const RARE = 1e-5;

/** What is lost in adding up parts of pages. */
const ROUNDING = 1e-6;

/**
 * More multiplications than this, some 20 ms, and the quantile is approximated. As every page that is not pooled has
 * a variance of 1e-5 or more, their number then has a deviation of at least two: enough for the approximation.
 */
const WORK_MAX = 4e7;

/** A distribution is so many deviations wide before what is negligible has been dropped from its ends. */
const WIDTH = 22;

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
  readonly #pages: Float64Array;
  #exact: Distribution | undefined;

  /** With `pages`, probability i is that of so many pages each; only all of them need be a whole number. */
  constructor(
    probabilities: Float64Array,
    pages: Float64Array = new Float64Array(probabilities.length).fill(1),
  ) {
    let [mean, variance, third, least, most] = [0, 0, 0, 0, 0];
    for (let i = 0; i < probabilities.length; i++) {
      const d = probabilities[i]!;
      const count = pages[i]!;
      const spread = count * d * (1 - d);
      mean += count * d;
      variance += spread;
      third += spread * (1 - 2 * d);
      if (d >= 1) least += count;
      if (d > 0) most += count;
    }
    this.mean = mean;
    this.variance = variance;
    this.skewness = variance > 0 ? third / variance / Math.sqrt(variance) : 0;
    this.least = Math.floor(least + ROUNDING);
    this.most = Math.max(0, Math.ceil(most - ROUNDING));
    this.#probabilities = probabilities;
    this.#pages = pages;
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
    if (this.#width() * WIDTH * (Math.sqrt(this.variance) + 1) > WORK_MAX) return undefined;
    let [sure, rarelyDirty, rarelyClean] = [0, 0, 0];
    const single: number[] = [];
    const several: Distribution[] = [];
    eachWhole(this.#probabilities, this.#pages, (pages, d) => {
      if (d < RARE) rarelyDirty += pages * d;
      else if (d > 1 - RARE) {
        sure += pages;
        rarelyClean += pages * (1 - d);
      } else if (pages === 1) single.push(d);
      else several.push(binomial(pages, d));
    });
    const pooled = convolve(poisson(rarelyDirty), mirrored(poisson(rarelyClean)));
    const { first, mass } = several.reduce(convolve, convolve(successes(Float64Array.from(single)), pooled));
    return { first: first + sure, mass };
  }

  /** The widths of all that is to be convolved, before what is negligible has been dropped from their ends. */
  #width(): number {
    let width = 0;
    for (let i = 0; i < this.#probabilities.length; i++) {
      const d = this.#probabilities[i]!;
      const pages = this.#pages[i]!;
      if (d >= RARE && d <= 1 - RARE)
        width += Math.min(pages + 1, WIDTH * (Math.sqrt(pages * d * (1 - d)) + 1));
    }
    return width;
  }
}

/**
 * Visits whole pages. Where there are parts of pages, they are laid end to end by ascending probability and cut into
 * pages; one that is of several probabilities has their mean.
 */
function eachWhole(
  probabilities: Float64Array,
  pages: Float64Array,
  visit: (pages: number, d: number) => void,
): void {
  if (pages.every(Number.isInteger)) {
    for (let i = 0; i < pages.length; i++) visit(pages[i]!, probabilities[i]!);
    return;
  }
  const ascending = Uint32Array.from(probabilities.keys()).sort(
    (one, other) => probabilities[one]! - probabilities[other]!,
  );
  let part = 0;
  let dirty = 0;
  for (const i of ascending) {
    const d = probabilities[i]!;
    let left = pages[i]!;
    if (part > 0) {
      const taken = Math.min(left, 1 - part);
      part += taken;
      dirty += taken * d;
      left -= taken;
      if (part < 1 - ROUNDING) continue;
      visit(1, Math.min(1, dirty));
    }
    const whole = Math.floor(left + ROUNDING);
    if (whole > 0) visit(whole, d);
    part = left - whole < ROUNDING ? 0 : left - whole;
    dirty = part * d;
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
