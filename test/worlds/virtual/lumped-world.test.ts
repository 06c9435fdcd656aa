import { describe, expect, test } from 'vitest';
import { differences, lumpablePlans } from './two-samples.ts';

const RUNS = 250;
/** One pair of equal distributions in ten thousand is farther apart. */
const MOST = 2.23;

/** All plans, with more runs: lumped-world.long.test.ts. */
describe('counts of strata', () => {
  const few = ['bits cleared by round, by address', 'QEMU’s rule, bits by round'] as const;
  test.each(few)('fall as pages do that are drawn one by one: %s', (name) => {
    expect(differences(lumpablePlans[name]!, RUNS, MOST)).toEqual([]);
  });

  test('would be told apart if pages were written a tenth more often', () => {
    const { plan = {} } = lumpablePlans['bits cleared by round, by address']!;
    const program = (factor: number) => ({
      kind: 'classes' as const,
      classes: [{ pages: 400, writesPerSecond: 3 * factor }],
    });
    const of = (factor: number) => ({ guest: { program: program(factor) }, plan });
    expect(differences(of(1), RUNS, MOST, of(1.1))).not.toEqual([]);
  });
});
