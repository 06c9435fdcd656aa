import type { Bytes, BytesPerSecond, Nanos } from '../../core/units.ts';
import { NANOS_PER_SECOND } from '../../core/units.ts';
import { type FittedClass, fitDirtyCurve } from '../../model/dirty-curve-fit.ts';
import type { Happened } from '../../observe/import/happened.ts';
import type { Observation, Sample } from '../../observe/import/observation.ts';

/** A workload that dirties memory as the observed one did. */
export interface WorkloadFit {
  readonly kind: 'classes';
  readonly classes: readonly FittedClass[];
  /** What it was fitted to, throttled exposures shortened. */
  readonly points: readonly { readonly exposureNs: Nanos; readonly pages: number }[];
  /** The root mean square of the relative errors of D(e) at the points. */
  readonly error: number;
  /** Eight in ten points lie between so many times what the fit says. */
  readonly spread: { readonly low: number; readonly high: number };
  readonly zeroPages: number | null;
}

/**
 * What a guest wrote once its load had ended is not of the workload.
 * @returns null: nothing is known of D(e)
 */
export function fitObservation(
  { samples, dirtied, parameters }: Observation,
  { calmFromNs }: Pick<Happened, 'calmFromNs'>,
): WorkloadFit | null {
  const points = dirtied.flatMap(({ atNs, exposureNs, pages, throttlePercent }) => {
    if (atNs !== null && calmFromNs !== null && atNs >= calmFromNs) return [];
    const middle = (pages.low + pages.high) / 2;
    return middle > 0 ? [{ exposureNs: exposureNs * (1 - throttlePercent / 100), pages: middle }] : [];
  });
  const totalPages = (parameters.totalBytes ?? Number.POSITIVE_INFINITY) / parameters.pageSizeBytes;
  const zeroPages = zeroPagesIn(samples);
  const fit = fitDirtyCurve(points, totalPages - (zeroPages ?? 0));
  if (!fit || fit.classes.length === 0) return null;
  return { kind: 'classes', classes: fit.classes, points, error: fit.error, spread: fit.spread, zeroPages };
}

/** Those of the first pass, which sends everything. */
function zeroPagesIn(samples: readonly Sample[]): number | null {
  const inFirst = samples.filter(({ syncs }) => syncs === null || syncs <= 1);
  const zeroPages = inFirst.at(-1)?.zeroPages;
  return zeroPages == null ? null : Math.floor(zeroPages);
}

/** How fast the live rounds sent; null: that was not told. */
export function liveRate(samples: readonly Sample[]): BytesPerSecond | null {
  const live = samples.filter(
    ({ status, sentBytes }) => sentBytes !== null && (status === null || status === 'active'),
  );
  const [first, last] = [live[0], live.at(-1)];
  if (first && last && last.atNs > first.atNs) {
    const rate = ((last.sentBytes! - first.sentBytes!) * NANOS_PER_SECOND) / (last.atNs - first.atNs);
    if (rateOf(rate) !== null) return rateOf(rate);
  }
  return rateOf(
    samples.findLast((sample) => rateOf(sample.rateBytesPerSecond) !== null)?.rateBytesPerSecond ?? null,
  );
}

/** b_d, as bytes and time of the stop imply it; null: one of them was not told. */
export function impliedStopRate(samples: readonly Sample[]): BytesPerSecond | null {
  const ended = samples.findLast(({ downtimeNs }) => downtimeNs !== null);
  const bytes: Bytes | null = ended?.downtimeBytes ?? null;
  if (!ended?.downtimeNs || bytes === null) return null;
  const rate = (bytes * NANOS_PER_SECOND) / ended.downtimeNs;
  return rateOf(rate);
}

/** No memory is faster: what says so is damaged. */
const FASTEST_BYTES_PER_SECOND = 1e13;

/** As a scenario has it; null: it is none that can be. */
export function rateOf(bytesPerSecond: number | null): BytesPerSecond | null {
  const isRate = bytesPerSecond !== null && bytesPerSecond >= 1 && bytesPerSecond <= FASTEST_BYTES_PER_SECOND;
  return isRate ? Math.round(bytesPerSecond) : null;
}
