import type { MigrationResult } from '../core/migration/migration-result.ts';
import type { Bytes, BytesPerSecond, Nanos } from '../core/units.ts';
import { Downtime, type StopTime } from './downtime-at-rate.ts';
import type { DirtyPages } from './memory.ts';
import type { ModelPrediction, PredictedMigration } from './predictor.ts';

/** The stop of the migrations that were replayed. */
export interface ReplayedStop {
  /** P + H. */
  readonly pageBytes: Bytes;
  /** b_d. */
  readonly stopRateBytesPerSecond: BytesPerSecond;
  /** How long the stop takes, in each of the cases that are equally likely. */
  readonly stopTimes: readonly StopTime[];
  readonly stopTimeoutNs: Nanos;
}

/**
 * What migrations that begin at different instants of a recording come to. Whether it converges is what most of them do;
 * times and bytes are medians over those that do, and quantiles are theirs; rounds are those of the one with the median
 * number of pages left.
 */
export function replayedCourse(results: readonly MigrationResult[], stop: ReplayedStop): ModelPrediction {
  const ended = results
    .filter(({ outcome }) => outcome === 'completed')
    .toSorted((one, other) => one.stop.pages - other.stop.pages);
  const share = ended.length / results.length;
  const leftToChance = share > 0 && share < 1 ? share : null;
  if (share < 0.5) {
    const failed = results.find(({ outcome }) => outcome !== 'completed')!;
    return replayedWithoutStop(failed, false, leftToChance);
  }
  const { pageBytes, stopRateBytesPerSecond, stopTimes, stopTimeoutNs } = stop;
  const left = sampleOf(ended.map(({ stop: { pages } }) => pages));
  const typical = ended[Math.floor(ended.length / 2)]!;
  // Pages of zeros are left only where nothing was sent before, and then in every one of them.
  const zeroBytes = typical.stop.pages * pageBytes - typical.stop.bytes;
  const downtime = new Downtime(left, (pages) => pages * pageBytes - zeroBytes, stopTimes);
  const liveNs = medianOf(ended.map(({ totalNs, downtimeNs }) => totalNs - downtimeNs));
  const downtimeNs = downtime.quantileNs(0.5, stopRateBytesPerSecond);
  const course: PredictedMigration = {
    converges: true,
    convergesProbability: leftToChance,
    reason: typical.reason,
    ...roundsOf(typical),
    pagesLeft: { mean: left.mean, deviation: left.deviation },
    downtimeNs,
    downtimeP99Ns: downtime.quantileNs(0.99, stopRateBytesPerSecond),
    totalNs: Math.round(liveNs) + downtimeNs,
    totalBytes: Math.round(medianOf(ended.map(({ link }) => link.sentBytes))),
  };
  return {
    course,
    stop: {
      pagesLeftQuantile: (q) => left.quantile(q),
      downtimeQuantileNs: (q, rate = stopRateBytesPerSecond) => downtime.quantileNs(q, rate),
      requiredStopRateBytesPerSecond: (limitNs, q) =>
        downtime.leastStopRate(Math.min(limitNs, stopTimeoutNs), q) ?? null,
    },
  };
}

/** Of a migration that did not come to its stop. @param converges false, or null: it was not followed to its end */
export function replayedWithoutStop(
  result: MigrationResult,
  converges: false | null,
  convergesProbability: number | null = null,
): ModelPrediction {
  const nothing = { pagesLeft: null, downtimeNs: null, downtimeP99Ns: null, totalNs: null, totalBytes: null };
  const course = { converges, convergesProbability, reason: result.reason, ...roundsOf(result), ...nothing };
  return { course, stop: null };
}

function roundsOf({ rounds }: MigrationResult): Pick<PredictedMigration, 'rounds' | 'roundPages'> {
  return { rounds: rounds.length, roundPages: rounds.map(({ sentPages }) => sentPages) };
}

/** The numbers of pages of a sample, which are in ascending order. */
function sampleOf(pages: readonly number[]): DirtyPages {
  const mean = pages.reduce((sum, each) => sum + each, 0) / pages.length;
  const variance = pages.reduce((sum, each) => sum + (each - mean) ** 2, 0) / pages.length;
  return { mean, deviation: Math.sqrt(variance), quantile: (q) => Math.ceil(quantileOfSorted(pages, q)) };
}

/**
 * The number below which one more of n is with probability q: at place q·(n + 1) of them, between two of them in
 * proportion (Hyndman and Fan, Sample quantiles in statistical packages, 1996, definition 6); never beyond them.
 */
function quantileOfSorted(ascending: readonly number[], q: number): number {
  const place = Math.max(0, Math.min(ascending.length - 1, q * (ascending.length + 1) - 1));
  const [below, above] = [ascending[Math.floor(place)]!, ascending[Math.ceil(place)]!];
  return below + (place - Math.floor(place)) * (above - below);
}

function medianOf(values: readonly number[]): number {
  return quantileOfSorted(
    values.toSorted((one, other) => one - other),
    0.5,
  );
}
