import type { Random } from './random.ts';

/** Below this mean a count is found by adding probabilities up from zero. */
const INVERTED_BELOW = 10;
/** So few are drawn one by one. */
const DRAWN_ONE_BY_ONE = 10;

/** How many of `trials` things happen, each by itself with this probability: exact up to a double's own error. */
export function binomial(random: Random, trials: number, probability: number): number {
  if (trials <= 0 || probability <= 0) return 0;
  if (probability >= 1) return trials;
  if (probability > 0.5) return trials - binomial(random, trials, 1 - probability);
  return trials * probability < INVERTED_BELOW
    ? invertedBinomial(random, trials, probability)
    : rejectedBinomial(random, trials, probability);
}

/** Pr[0] = (1 − p)^n, Pr[k] = Pr[k − 1] · (n − k + 1)/k · p/(1 − p), up to a uniform number. */
function invertedBinomial(random: Random, trials: number, probability: number): number {
  const odds = probability / (1 - probability);
  let term = Math.exp(trials * Math.log1p(-probability));
  let count = 0;
  for (let left = random.uniform() - term; left >= 0 && count < trials && term > 0; left -= term) {
    count += 1;
    term *= ((trials - count + 1) / count) * odds;
  }
  return count;
}

/** Transformed rejection with a squeeze (Hörmann, The generation of binomial random variates, 1993, algorithm BTRS). */
function rejectedBinomial(random: Random, trials: number, probability: number): number {
  const odds = probability / (1 - probability);
  const deviation = Math.sqrt(trials * probability * (1 - probability));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * probability;
  const alpha = (2.83 + 5.1 / b) * deviation;
  const mode = Math.floor((trials + 1) * probability);
  for (;;) {
    const u = random.uniform() - 0.5;
    const v = 1 - random.uniform();
    const us = 0.5 - Math.abs(u);
    const count = Math.floor(((2 * a) / us + b) * u + trials * probability + 0.5);
    if (us >= 0.07 && v <= 0.92 - 4.2 / b) return count;
    if (count < 0 || count > trials) continue;
    const accepted =
      (mode + 0.5) * Math.log((mode + 1) / (odds * (trials - mode + 1))) +
      (trials + 1) * Math.log((trials - mode + 1) / (trials - count + 1)) +
      (count + 0.5) * Math.log((odds * (trials - count + 1)) / (count + 1)) +
      stirlingRest(mode) +
      stirlingRest(trials - mode) -
      stirlingRest(count) -
      stirlingRest(trials - count);
    if (Math.log((v * alpha) / (a / (us * us) + b)) <= accepted) return count;
  }
}

/**
 * How many of `sample` things, taken at random out of `marked` and `others`, are marked ones: exact up to the error of
 * ln n!, which is 1e-6 for hundreds of millions.
 */
export function hypergeometric(random: Random, marked: number, others: number, sample: number): number {
  if (sample <= 0 || marked <= 0) return 0;
  if (others <= 0 || sample >= marked + others) return Math.min(sample, marked);
  // Which of the marked ones are in the sample, or which of the sample are marked: the same number.
  if (marked < sample) return hypergeometric(random, sample, marked + others - sample, marked);
  return sample <= DRAWN_ONE_BY_ONE
    ? oneByOne(random, marked, others, sample)
    : rejectedHypergeometric(random, marked, others, sample);
}

function oneByOne(random: Random, marked: number, others: number, sample: number): number {
  let found = 0;
  for (let drawn = 0; drawn < sample; drawn++) {
    if (random.uniform() * (marked + others - drawn) < marked - found) found += 1;
  }
  return found;
}

/** Ratio of uniforms (Stadlober, The ratio of uniforms approach for generating discrete random variates, 1990, HRUA). */
function rejectedHypergeometric(random: Random, marked: number, others: number, sample: number): number {
  const all = marked + others;
  const rarer = Math.min(marked, others);
  const commoner = all - rarer;
  const drawn = Math.min(sample, all - sample);
  const mean = (drawn * rarer) / all;
  const variance = ((all - drawn) * mean * (commoner / all)) / (all - 1);
  const width = Math.sqrt(variance + 0.5);
  const height = 2 * Math.sqrt(2 / Math.E) * width + 3 - 2 * Math.sqrt(3 / Math.E);
  const logWeight = (count: number) =>
    -logFactorial(count) -
    logFactorial(rarer - count) -
    logFactorial(drawn - count) -
    logFactorial(commoner - drawn + count);
  const atMode = logWeight(Math.floor(((drawn + 1) * (rarer + 1)) / (all + 2)));
  const end = Math.min(Math.min(drawn, rarer) + 1, Math.floor(mean + 0.5 + 16 * width));
  for (;;) {
    const u = 1 - random.uniform();
    const x = mean + 0.5 + (height * (random.uniform() - 0.5)) / u;
    if (x < 0 || x >= end) continue;
    const count = Math.floor(x);
    if (2 * Math.log(u) > logWeight(count) - atMode) continue;
    const ofMarked = marked > others ? drawn - count : count;
    return drawn < sample ? marked - ofMarked : ofMarked;
  }
}

/** How many of each kind are among `sample` things taken at random out of these. */
export function sampleOfKinds(random: Random, counts: readonly number[], sample: number): number[] {
  let all = counts.reduce((sum, count) => sum + count, 0);
  let left = Math.min(sample, all);
  return counts.map((count) => {
    all -= count;
    const taken = hypergeometric(random, count, all, left);
    left -= taken;
    return taken;
  });
}

const SMALL_FACTORIALS = 16;
const LOG_SQRT_2_PI = Math.log(2 * Math.PI) / 2;

/** ln n! − (n + ½)·ln(n + 1) + (n + 1) − ½·ln 2π: what Stirling's formula leaves out. */
function stirlingRest(n: number): number {
  if (n >= SMALL_FACTORIALS) return stirlingSeries(n + 1);
  return logFactorial(n) - (n + 0.5) * Math.log(n + 1) + (n + 1) - LOG_SQRT_2_PI;
}

function logFactorial(n: number): number {
  if (n >= SMALL_FACTORIALS) {
    return (n + 0.5) * Math.log(n + 1) - (n + 1) + LOG_SQRT_2_PI + stirlingSeries(n + 1);
  }
  let product = 1;
  for (let factor = 2; factor <= n; factor++) product *= factor;
  return Math.log(product);
}

/** 1/12x − 1/360x³ + 1/1260x⁵, below 1e-11 of the sum that it ends from 17 on. */
function stirlingSeries(x: number): number {
  const square = x * x;
  return (1 / 12 - (1 / 360 - 1 / 1260 / square) / square) / x;
}
