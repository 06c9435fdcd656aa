/** A distribution over whole numbers: Pr[first + i] = mass[i]. What is left out is below any double's notice. */
export interface Distribution {
  readonly first: number;
  readonly mass: Float64Array;
}

/** Masses below this are dropped from the ends: some ten deviations out, and far too little to add up. */
const NEGLIGIBLE = 1e-25;

/** The number of successes in independent trials, by adding one trial after the other. */
export function successes(probabilities: Float64Array): Distribution {
  const mass = new Float64Array(probabilities.length + 1);
  mass[0] = 1;
  let first = 0;
  let last = 0;
  for (const probability of probabilities) {
    mass[last + 1] = mass[last]! * probability;
    for (let count = last; count > first; count--) {
      mass[count] = mass[count]! * (1 - probability) + mass[count - 1]! * probability;
    }
    mass[first]! *= 1 - probability;
    last += 1;
    while (mass[first]! < NEGLIGIBLE) first += 1;
    while (mass[last]! < NEGLIGIBLE) last -= 1;
  }
  return { first, mass: mass.subarray(first, last + 1) };
}

/** The number of successes in so many trials of one probability, which is neither 0 nor 1. */
export function binomial(trials: number, probability: number): Distribution {
  const odds = probability / (1 - probability);
  return aroundPeak(
    Math.floor((trials + 1) * probability),
    (count) => ((trials - count) / (count + 1)) * odds,
  );
}

export function poisson(mean: number): Distribution {
  return aroundPeak(Math.floor(mean), (count) => mean / (count + 1));
}

/** From the peak outwards by the ratio Pr[count + 1] / Pr[count], then scaled to add up to one. */
function aroundPeak(peak: number, ratio: (count: number) => number): Distribution {
  const below: number[] = [];
  for (let count = peak, mass = 1; count > 0 && mass >= NEGLIGIBLE; count--)
    below.push((mass /= ratio(count - 1)));
  const above: number[] = [];
  for (let count = peak, mass = 1; mass >= NEGLIGIBLE; count++) above.push((mass *= ratio(count)));
  const mass = Float64Array.of(...below.reverse(), 1, ...above);
  const total = mass.reduce((sum, term) => sum + term, 0);
  return { first: peak - below.length, mass: mass.map((term) => term / total) };
}

/** The sum of two independent numbers. */
export function convolve(one: Distribution, other: Distribution): Distribution {
  const mass = new Float64Array(one.mass.length + other.mass.length - 1);
  for (let i = 0; i < one.mass.length; i++) {
    for (let j = 0; j < other.mass.length; j++) mass[i + j]! += one.mass[i]! * other.mass[j]!;
  }
  let first = 0;
  let end = mass.length;
  while (mass[first]! < NEGLIGIBLE) first += 1;
  while (mass[end - 1]! < NEGLIGIBLE) end -= 1;
  return { first: one.first + other.first + first, mass: mass.subarray(first, end) };
}

/** Of the number with the opposite sign. */
export function mirrored({ first, mass }: Distribution): Distribution {
  return { first: 1 - first - mass.length, mass: mass.slice().reverse() };
}

/** The least number that is not exceeded with probability q. */
export function quantileOf({ first, mass }: Distribution, q: number): number {
  let cumulative = 0;
  for (let i = 0; i < mass.length; i++) {
    cumulative += mass[i]!;
    if (cumulative >= q) return first + i;
  }
  return first + mass.length - 1;
}
