import { Random } from '../../core/random.ts';
import type { Axis } from '../../scenario/settings.ts';

/** The settings at a share u of one dimension, 0 ≤ u < 1. */
export type Dimension = (u: number) => Axis[number];

/** Streams of random numbers that no world, order or model draws from; one a dimension. */
const FIRST_STREAM = 1_000;

/**
 * Latin hypercube sampling (McKay, Beckman and Conover, 1979): of n points each dimension has exactly one in every
 * n-th of its range, at random within it; which of them meet is random too.
 */
export function latinHypercube(points: number, dimensions: readonly Dimension[], seed: number): Axis {
  const strata = dimensions.map((_, index) => {
    const random = Random.seeded(seed, FIRST_STREAM + index);
    const places = random.shuffle(Uint32Array.from({ length: points }, (_, place) => place));
    return Float64Array.from(places, (place) => (place + random.uniform()) / points);
  });
  return Array.from({ length: points }, (_, point) =>
    dimensions.flatMap((dimension, index) => dimension(strata[index]![point]!)),
  );
}
