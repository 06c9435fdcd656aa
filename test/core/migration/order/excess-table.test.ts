import { describe, expect, test } from 'vitest';
import { decreasingOrder } from '../../../../src/core/migration/order/decreasing.ts';
import { endsOrder } from '../../../../src/core/migration/order/ends.ts';
import { exactOrder } from '../../../../src/core/migration/order/exact.ts';
import { expectedDirty } from '../../../../src/core/migration/order/objective.ts';
import { thresholdOrder } from '../../../../src/core/migration/order/threshold.ts';
import { veeOrder } from '../../../../src/core/migration/order/vee.ts';
import type { Random } from '../../../../src/core/random.ts';
import { logUniform, mean, type Population, uniform } from './populations.ts';

/** The orders compared, as what each leaves dirty. */
const rules: Record<string, (values: Float64Array, random: Random) => number> = {
  increasing: (values) => expectedDirty(values, decreasingOrder(values).reverse()),
  decreasing: (values) => expectedDirty(values, decreasingOrder(values)),
  random: (values, random) => expectedDirty(values, random.shuffle(Uint32Array.from(values.keys()))),
  threshold: (values) => expectedDirty(values, thresholdOrder(values)),
  'better of ends and vee': (values) =>
    Math.min(expectedDirty(values, endsOrder(values)), expectedDirty(values, veeOrder(values))),
};

/** The mean excess over the exact order, in percent: at least, at most. */
function check(
  population: Population,
  pages: number,
  instances: number,
  rule: string,
  range: readonly number[],
): void {
  const excess = mean(instances, (random) => {
    const values = population(pages, random);
    return 100 * (rules[rule]!(values, random) / expectedDirty(values, exactOrder(values)) - 1);
  });
  expect(excess).toBeGreaterThanOrEqual(range[0]! - 1e-9);
  expect(excess).toBeLessThanOrEqual(range[1]!);
}

describe('the mean excess over the optimum, 8 pages, U(0, 1)', () => {
  test.each([
    ['increasing', [16, 19]],
    ['decreasing', [4.7, 5.9]],
    ['random', [8.2, 9.6]],
    ['threshold', [0.02, 0.06]],
    ['better of ends and vee', [0, 0.001]],
  ])('of %s is %j percent', (rule, range) => check(uniform, 8, 2000, rule, range));
});

describe('the mean excess over the optimum, 100 pages, logU(1e-4, 1)', () => {
  test.each([
    ['increasing', [31, 33.5]],
    ['decreasing', [34, 40]],
    ['random', [26, 32]],
    ['threshold', [0, 0.001]],
    ['better of ends and vee', [0, 0.001]],
  ])('of %s is %j percent', (rule, range) => check(logUniform, 100, 60, rule, range));
});
