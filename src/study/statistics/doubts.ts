import type { MigrationRecord } from '../../core/migration/record.ts';
import { type Comparison, unpaired } from './comparison.ts';
import { fewestFor, spread, summary } from './estimate.ts';
import { sumOf } from './sum.ts';

/** What must be doubted of a result, in sentences that a report can print. */

/** `undefined`: there are enough values for a 95 % interval of the p-quantile. */
export function tooFew(count: number, p: number): string | undefined {
  const fewest = fewestFor(p);
  if (count >= fewest) return undefined;
  const what = p === 0.5 ? 'the median' : `the ${Number((100 * p).toPrecision(4))} % quantile`;
  return `${count} ${count === 1 ? 'run is' : 'runs are'} too few for a 95 % interval of ${what}, which needs ${fewest}`;
}

export interface Disagreement {
  readonly measuredMedian: number;
  /** Where the middle 95 % of the virtual runs lie. */
  readonly virtually: { readonly median: number; readonly low: number; readonly high: number };
  /** Measured over virtual, of the medians. */
  readonly ratio: number;
}

/**
 * Do two worlds disagree? They do if the measured median lies where virtual time has fewer than one run of twenty.
 * @returns undefined: they agree, or there is nothing to compare
 */
export function worldsDisagree(
  measured: readonly number[],
  virtually: readonly number[],
): Disagreement | undefined {
  if (measured.length === 0 || virtually.length === 0) return undefined;
  const { median: measuredMedian } = summary(measured);
  const band = spread(virtually);
  if (measuredMedian >= band.low && measuredMedian <= band.high) return undefined;
  return { measuredMedian, virtually: band, ratio: measuredMedian / band.median };
}

/** The machine itself stood still in this run, as the independent probe of its noise ledger saw it. */
export function isNoisy({ servers }: Pick<MigrationRecord, 'servers'>): boolean {
  return servers.some(({ missedByMachine }) => missedByMachine > 0);
}

export interface NoiseAccount {
  readonly noisyRuns: number;
  readonly runs: number;
  /** Periods that were missed, and of these the ones in which the machine itself stood still. */
  readonly missedPeriods: number;
  readonly missedByMachine: number;
}

export function noiseOf(records: readonly Pick<MigrationRecord, 'servers'>[]): NoiseAccount {
  const servers = records.flatMap((record) => record.servers);
  return {
    noisyRuns: records.filter(isNoisy).length,
    runs: records.length,
    missedPeriods: sumOf(servers, ({ missedPeriods }) => missedPeriods),
    missedByMachine: sumOf(servers, ({ missedByMachine }) => missedByMachine),
  };
}

/**
 * Does noise of the machine explain a difference between two groups of runs? It may, if the difference is certain with
 * all runs and no longer so without those in which the machine stood still.
 * @returns undefined: there is no certain difference, or it stays without them
 */
export function noiseExplains<Noted extends Pick<MigrationRecord, 'servers'>>(
  base: readonly Noted[],
  alternative: readonly Noted[],
  value: (record: Noted) => number,
  seed = 1,
): { readonly withAll: Comparison; readonly withoutNoisy: Comparison | undefined } | undefined {
  const compare = (counts: (record: Noted) => boolean) =>
    unpaired(base.filter(counts).map(value), alternative.filter(counts).map(value), seed);
  const withAll = compare(() => true);
  if (!withAll?.certain) return undefined;
  const withoutNoisy = compare((record) => !isNoisy(record));
  return withoutNoisy?.certain ? undefined : { withAll, withoutNoisy };
}
