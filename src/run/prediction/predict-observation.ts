import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { pagesWithinLimit } from '../../model/predicted-course.ts';
import { type EndInput, predictEnd, type Quantiles } from '../../model/predicted-end.ts';
import { autoConvergeDefaults, PERIOD_NS } from '../../model/throttle.ts';
import type { Dirtied, Observation, Sample } from '../../observe/import/observation.ts';

/** What is told besides the log. `undefined`: as the log says, or QEMU's default. */
export interface ToldBesides {
  readonly downtimeLimitNs?: Nanos | undefined;
  readonly maxBandwidthBytesPerSecond?: BytesPerSecond | undefined;
  /** QEMU's parameter: what it believes of the stop. */
  readonly availableSwitchoverBandwidthBytesPerSecond?: BytesPerSecond | undefined;
  /** b_d: what the link really carries in the stop. */
  readonly stopRateBytesPerSecond?: BytesPerSecond | undefined;
  readonly autoConverge?: boolean | undefined;
  readonly memoryBytes?: Bytes | undefined;
}

/** What is predicted; null: not enough is known. */
export interface ObservedPrediction {
  readonly knownAtNs: Nanos | null;
  readonly syncs: number | null;
  readonly endsByItself: number | null;
  readonly within: Readonly<Record<string, number>> | null;
  readonly totalNs: Quantiles | null;
  readonly downtimeNs: Quantiles | null;
  readonly throttle: {
    /** null: neither the log nor anybody says whether it is on. */
    readonly autoConverge: boolean | null;
    readonly percent: Quantiles | null;
  };
  readonly leftOut: readonly string[];
}

const HEADER_BYTES = 8;
/** Its defaults (qapi/migration.json). */
export const QEMU = { downtimeLimitNs: 3e8, maxBandwidthBytesPerSecond: 134_217_728 };
const WITHIN = { '30s': 30e9, '60s': 60e9, '120s': 120e9, '300s': 300e9, '600s': 600e9 };
const SEED = 1;

/** What becomes of a migration under QEMU's rule, from what was known at a moment. */
export function predictObservation(known: Observation, told: ToldBesides): ObservedPrediction {
  const last = known.samples.at(-1);
  const autoConverge = told.autoConverge ?? known.parameters.autoConverge;
  const moment = { knownAtNs: last?.atNs ?? null, syncs: last?.syncs ?? null };
  const leftOut = leftOutOf(known, told, autoConverge);
  if (last && hasEnded(last)) return { ...moment, ...asItEnded(last, known), leftOut };
  const input = inputOf(known, told, autoConverge === true);
  if (typeof input === 'string') {
    return {
      ...moment,
      endsByItself: null,
      within: null,
      totalNs: null,
      downtimeNs: null,
      throttle: { autoConverge, percent: null },
      leftOut: [input, ...leftOut],
    };
  }
  const { endsByItself, within, totalNs, downtimeNs, throttlePercent } = predictEnd(input);
  return {
    ...moment,
    endsByItself,
    within: Object.fromEntries(Object.keys(WITHIN).map((limit, index) => [limit, within[index]!])),
    totalNs,
    downtimeNs,
    throttle: { autoConverge, percent: throttlePercent },
    leftOut,
  };
}

function hasEnded({ status }: Sample): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** There is nothing left to predict. */
function asItEnded(
  { status, atNs, downtimeNs }: Sample,
  { samples, parameters }: Observation,
): Omit<ObservedPrediction, 'knownAtNs' | 'syncs' | 'leftOut'> {
  const hasCompleted = status === 'completed';
  const throttlePercent = samples.findLast((sample) => sample.throttlePercent !== null)?.throttlePercent ?? 0;
  return {
    endsByItself: hasCompleted ? 1 : 0,
    within: Object.fromEntries(
      Object.entries(WITHIN).map(([limit, ns]) => [limit, hasCompleted && atNs <= ns ? 1 : 0]),
    ),
    totalNs: hasCompleted ? certainly(atNs) : null,
    downtimeNs: downtimeNs === null ? null : certainly(downtimeNs),
    throttle: { autoConverge: parameters.autoConverge, percent: certainly(throttlePercent) },
  };
}

function certainly(value: number): Quantiles {
  return { p5: value, p10: value, p50: value, p90: value, p95: value };
}

/** @returns a text: what is missing */
function inputOf(known: Observation, told: ToldBesides, autoConverge: boolean): EndInput | string {
  const { samples, dirtied, parameters } = known;
  const last = samples.at(-1);
  const points = dirtied
    .filter(({ exposureNs, pages }) => exposureNs > 0 && pages.high > 0)
    .map(({ exposureNs, pages, throttlePercent }) => ({
      exposureNs: exposureNs * (1 - throttlePercent / 100),
      low: pages.low,
      high: pages.high,
    }));
  if (points.length === 0) return 'nothing is known yet of how fast the guest dirties its memory';
  const bytesPerPage = parameters.pageSizeBytes + HEADER_BYTES;
  const measured = told.maxBandwidthBytesPerSecond === undefined ? measuredRate(samples) : undefined;
  const rate = measured ?? withinLimit(told, parameters);
  const limitNs = told.downtimeLimitNs ?? parameters.downtimeLimitNs ?? QEMU.downtimeLimitNs;
  const believed =
    told.availableSwitchoverBandwidthBytesPerSecond ??
    parameters.availableSwitchoverBandwidthBytesPerSecond ??
    0;
  const totalBytes = told.memoryBytes ?? parameters.totalBytes ?? last?.leftBytes ?? 0;
  if (totalBytes === 0) return 'the size of the guest is not known';
  if (last?.leftBytes === null) return 'how much is left is not known';
  const totalPages = totalBytes / parameters.pageSizeBytes;
  const zeroPages = last ? 0 : parameters.zeroPages;
  const lastLook = dirtied.findLast(({ atNs }) => atNs !== null)?.atNs ?? 0;
  return {
    state: {
      elapsedNs: last?.atNs ?? 0,
      leftPages: (last?.leftBytes ?? totalBytes) / parameters.pageSizeBytes - (zeroPages ?? 0),
      zeroPages: zeroPages ?? 0,
      sinceLookNs: last ? last.atNs - lastLook : 0,
      throttlePercent: last?.throttlePercent ?? 0,
      highPeriods: highPeriods(dirtied, rate / bytesPerPage),
    },
    // What has not begun may be mostly zeros, but for what was seen to be written, unless they were counted.
    mostZeroPages:
      zeroPages !== null
        ? 0
        : Math.max(0, totalPages - points.reduce((most, { high }) => Math.max(most, high), 0)),
    terms: {
      pagesPerSecond: rate / bytesPerPage,
      thresholdPages: (Math.max(believed, rate) * limitNs) / NANOS_PER_SECOND / parameters.pageSizeBytes,
      totalPages,
      autoConverge: autoConverge ? throttleOf(known) : null,
    },
    points,
    stopRateBytesPerSecond: told.stopRateBytesPerSecond ?? (believed || rate),
    bytesPerPage,
    withinNs: Object.values(WITHIN),
    seed: SEED,
  };
}

/** What passes where nothing but the limit is known. */
function withinLimit(told: ToldBesides, parameters: Observation['parameters']): BytesPerSecond {
  const limit =
    told.maxBandwidthBytesPerSecond ??
    parameters.maxBandwidthBytesPerSecond ??
    QEMU.maxBandwidthBytesPerSecond;
  const bytesPerPage = parameters.pageSizeBytes + HEADER_BYTES;
  return parameters.countsFlushes ? pagesWithinLimit(limit, bytesPerPage) * bytesPerPage : limit;
}

function throttleOf({ parameters }: Observation) {
  const { initialPercent, incrementPercent, maxPercent, triggerPercent } = autoConvergeDefaults;
  return {
    initialPercent: parameters.throttleInitialPercent ?? initialPercent,
    incrementPercent: parameters.throttleIncrementPercent ?? incrementPercent,
    maxPercent: parameters.maxThrottlePercent ?? maxPercent,
    triggerPercent: parameters.throttleTriggerPercent ?? triggerPercent,
  };
}

/** As QEMU would have counted so far. */
function highPeriods(dirtied: readonly Dirtied[], pagesPerSecond: number): number {
  const { triggerPercent } = autoConvergeDefaults;
  const high = dirtied.filter(({ atNs, exposureNs, pages, throttlePercent }) => {
    const sentPages = (pagesPerSecond * exposureNs) / NANOS_PER_SECOND;
    return (
      atNs !== null &&
      throttlePercent === 0 &&
      exposureNs >= PERIOD_NS &&
      pages.low > (sentPages * triggerPercent) / 100
    );
  });
  return high.length % 2;
}

/** Over so much of the last samples. */
const MEASURED_OVER_NS = 5e9;

/** What the link carries; undefined: it was not told. */
export function measuredRate(samples: readonly Sample[]): BytesPerSecond | undefined {
  const last = samples.at(-1);
  const first =
    last && samples.find(({ atNs, sentBytes }) => sentBytes !== null && atNs >= last.atNs - MEASURED_OVER_NS);
  if (!last || !first || last.sentBytes === null || first.sentBytes === null)
    return last?.rateBytesPerSecond ?? undefined;
  const rate = ((last.sentBytes - first.sentBytes) * NANOS_PER_SECOND) / (last.atNs - first.atNs);
  return rate > 0 && Number.isFinite(rate) ? rate : (last.rateBytesPerSecond ?? undefined);
}

function leftOutOf(known: Observation, told: ToldBesides, autoConverge: boolean | null): readonly string[] {
  const { parameters } = known;
  const believed =
    told.availableSwitchoverBandwidthBytesPerSecond ?? parameters.availableSwitchoverBandwidthBytesPerSecond;
  return [
    told.stopRateBytesPerSecond === undefined && !believed
      ? 'b_d was not told: the downtime is that at the bandwidth of the live rounds, which is often far too long'
      : [],
    autoConverge === null ? 'nobody says whether auto-converge is on: taken to be off' : [],
    autoConverge && told.autoConverge === undefined && !known.samples.some((sample) => sample.throttlePercent)
      ? 'that auto-converge is on is known from elsewhere in the log, such as a throttle later on'
      : [],
    told.downtimeLimitNs === undefined && parameters.downtimeLimitNs === null
      ? 'the downtime limit was not told: 300 ms, QEMU’s default'
      : [],
    known.samples.length === 0 && parameters.zeroPages === null
      ? 'pages of zeros: any part of the memory may hold them, so that the total is wide'
      : [],
    'saving and restoring devices, and the hand-over: the downtime is that of memory',
    'loads that change or end',
  ].flat();
}
