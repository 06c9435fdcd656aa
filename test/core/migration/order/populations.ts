import fc from 'fast-check';
import { expectedDirty } from '../../../../src/core/migration/order/objective.ts';
import { Random } from '../../../../src/core/random.ts';

/** Makes n write probabilities. */
export type Population = (pages: number, random: Random) => Float64Array;

const drawn =
  (draw: (random: Random) => number): Population =>
  (pages, random) => {
    const probabilities = new Float64Array(pages);
    for (let page = 0; page < pages; page++) probabilities[page] = draw(random);
    return probabilities;
  };

/** U(0, 1). */
export const uniform = drawn((random) => random.uniform());
/** logU(1e-4, 1). */
export const logUniform = drawn((random) => 10 ** (-4 * random.uniform()));

/** The population fitted to the slides' table: writes per second of 6500 pages; slots of 0.655 ms. */
export function calibrated(): Float64Array {
  const classes: readonly (readonly [pages: number, writesPerSecond: number])[] = [
    [286, 16.8],
    [397, 2.46],
    [383, 0.465],
    [5434, 1.5e-5],
  ];
  return Float64Array.from(
    classes.flatMap(([pages, rate]) => new Array<number>(pages).fill(-Math.expm1(-rate * 0.655e-3))),
  );
}

/** π of up to `pages` pages: anything in [0, 1], with 0, 1, ties and several orders of magnitude among them. */
export function probabilities(pages: number): fc.Arbitrary<Float64Array> {
  const probability = fc.oneof(
    fc.nat(1_000_000).map((millionths) => millionths / 1_000_000),
    fc.nat(800).map((hundredths) => 10 ** (-hundredths / 100)),
    fc.double({ min: 0, max: 1, noNaN: true }),
    fc.constantFrom(0, 0.01, 0.5, 1),
  );
  return fc.array(probability, { maxLength: pages }).map((values) => Float64Array.from(values));
}

/** All n! orders of n items (Heap's algorithm), in one array that changes under the caller's hands. */
export function* permutations(items: number): Generator<Uint32Array> {
  const order = Uint32Array.from({ length: items }, (_, item) => item);
  const count = new Uint32Array(items);
  yield order;
  for (let i = 1; i < items; ) {
    if (count[i]! < i) {
      const other = i % 2 === 0 ? 0 : count[i]!;
      [order[i], order[other]] = [order[other]!, order[i]!];
      yield order;
      count[i]! += 1;
      i = 1;
    } else {
      count[i] = 0;
      i += 1;
    }
  }
}

/** The least expected number of dirty pages over all n! orders. */
export function leastByBruteForce(probabilities: Float64Array): number {
  let least = Number.POSITIVE_INFINITY;
  for (const order of permutations(probabilities.length)) {
    least = Math.min(least, expectedDirty(probabilities, order));
  }
  return least;
}

/** Whether the order theorem's condition holds at every pair of neighbours: π_a(1−π_a)^(n−j) ≤ π_b(1−π_b)^(n−j). */
export function neighboursMayStay(probabilities: Float64Array, order: Uint32Array): boolean {
  const pages = order.length;
  for (let j = 1; j < pages; j++) {
    const a = probabilities[order[j - 1]!]!;
    const b = probabilities[order[j]!]!;
    if (a * (1 - a) ** (pages - j) > b * (1 - b) ** (pages - j) + 1e-12) return false;
  }
  return true;
}

/** The mean over seeded instances. */
export function mean(instances: number, of: (random: Random) => number): number {
  let total = 0;
  for (let seed = 1; seed <= instances; seed++) total += of(Random.seeded(seed));
  return total / instances;
}
