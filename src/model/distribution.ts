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

/** Poisson, from its mode outwards by Pr[k + 1] / Pr[k] = mean / (k + 1), then scaled to add up to one. */
export function poisson(mean: number): Distribution {
  const mode = Math.floor(mean);
  const below: number[] = [];
  for (let count = mode, mass = 1; count > 0 && mass >= NEGLIGIBLE; count--)
    below.push((mass *= count / mean));
  const above: number[] = [];
  for (let count = mode + 1, mass = 1; mass >= NEGLIGIBLE; count++) above.push((mass *= mean / count));
  const mass = Float64Array.of(...below.reverse(), 1, ...above);
  const total = mass.reduce((sum, term) => sum + term, 0);
  return { first: mode - below.length, mass: mass.map((term) => term / total) };
}

/** The sum of two independent numbers. */
export function convolve(one: Distribution, other: Distribution): Distribution {
  const mass = new Float64Array(one.mass.length + other.mass.length - 1);
  for (let i = 0; i < one.mass.length; i++) {
    for (let j = 0; j < other.mass.length; j++) mass[i + j]! += one.mass[i]! * other.mass[j]!;
  }
  return { first: one.first + other.first, mass };
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
