import { describe, expect, test } from 'vitest';
import { differences, lumpablePlans } from './two-samples.ts';

/** So many of each kind are held against each other, for each plan; more with RUNS=5000. */
const RUNS = Number(process.env.RUNS ?? 100);
/** One pair of equal distributions in ten thousand is farther apart. */
const MOST = 2.23;

describe('counts of strata', () => {
  test.each(Object.entries(lumpablePlans))(
    'fall as pages do that are drawn one by one: %s',
    (_, change) => {
      expect(differences(change, RUNS, MOST)).toEqual([]);
    },
    300_000,
  );
});
