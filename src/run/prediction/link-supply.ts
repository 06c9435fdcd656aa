import { isOfLink } from '../../core/antagonist.ts';
import { type Bottleneck, bottleneckOf, passedNs } from '../../core/link/bottleneck.ts';
import { SHORTEST_WINDOW_NS } from '../../core/migration/meter.ts';
import { Random } from '../../core/random.ts';
import { type Bytes, type BytesPerSecond, NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { latenessMeanNs } from '../../workload/antagonists/disturbance.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';

/** What the link carries, besides what was reserved of it: the bucket, and what antagonists leave. */
export interface LinkSupply {
  /** The rate of the live rounds, on average, at this reserved one; null: not reserved. */
  liveBytesPerSecond(reserved: BytesPerSecond | null): BytesPerSecond;
  /** How fast a page passes once it has left the bucket. */
  readonly passedBytesPerSecond: BytesPerSecond;
  /** The most that is seen of it over a window of the meter: between two drops, where there is time for one. */
  seenBytesPerSecond(reserved: BytesPerSecond | null): BytesPerSecond;
  /** Whether the link drops again and again, so that it depends on chance how long a stop takes. */
  readonly drops: boolean;
  /** How long bytes take at this rate, in each of the cases that are equally likely. */
  readonly passNs: readonly ((bytes: Bytes, rateBytesPerSecond: BytesPerSecond) => Nanos)[];
}

/** Cases of where in its period a drop is when the guest stops. */
const PHASES = 32;
/** The fractional parts of k·φ are spread evenly, however many are taken (Knuth, TAOCP 3, §6.4). */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

export function linkSupplyOf(spec: MigrationSpec): LinkSupply {
  const { plan, antagonists = [], linkCapacityBytesPerSecond = Number.POSITIVE_INFINITY } = spec;
  const found = bottleneckOf(antagonists.filter(isOfLink), linkCapacityBytesPerSecond, Random.seeded(0));
  const bottleneck = found ?? { bytesPerSecond: linkCapacityBytesPerSecond, drops: [] };
  const { bytesPerSecond, drops } = bottleneck;
  const latenessNs = latenessMeanNs(antagonists);
  // Behind something slower than the bucket there are always tokens.
  const passedBytesPerSecond = found?.bytesPerSecond ?? Number.POSITIVE_INFINITY;
  const waitsForTokens = (reserved: BytesPerSecond | null) => reserved === null || bytesPerSecond > reserved;
  const paced = (reserved: BytesPerSecond | null) =>
    waitsForTokens(reserved)
      ? Math.min(bytesPerSecond, pacedRate(reserved, passedBytesPerSecond, latenessNs, plan))
      : bytesPerSecond;
  const live = (reserved: BytesPerSecond | null) =>
    Math.max(
      0,
      drops.reduce((rate, drop) => rate - lostTo(drop, paced(reserved), bottleneck, plan), paced(reserved)),
    );
  const isSeenWhole = drops.every(({ everyNs, lengthNs }) => everyNs - lengthNs >= SHORTEST_WINDOW_NS);
  return {
    passedBytesPerSecond,
    liveBytesPerSecond: live,
    seenBytesPerSecond: isSeenWhole ? paced : live,
    drops: drops.length > 0,
    passNs: Array.from({ length: drops.length > 0 ? PHASES : 1 }, (_, phase) => {
      const placed = drops.map((drop, index) => ({
        ...drop,
        phaseNs: Math.round((((phase + 0.5) * (index + 1) * GOLDEN) % 1) * drop.everyNs),
      }));
      return (bytes: Bytes, rateBytesPerSecond: BytesPerSecond) =>
        passedIn(bytes, Math.min(rateBytesPerSecond, bytesPerSecond), placed);
    }),
  };
}

/** What takes more periods than these passes at the average rate, wherever in a period it begins. */
const PERIODS_FOLLOWED = 20;

function passedIn(bytes: Bytes, rate: BytesPerSecond, drops: Bottleneck['drops']): Nanos {
  const averageRate = drops.reduce(
    (average, { everyNs, lengthNs, bytesPerSecond }) =>
      average - (Math.max(0, rate - bytesPerSecond) * lengthNs) / everyNs,
    rate,
  );
  const averageNs = (bytes * NANOS_PER_SECOND) / averageRate;
  const longestNs = Math.max(0, ...drops.map(({ everyNs }) => everyNs));
  if (drops.length === 0 || averageNs > PERIODS_FOLLOWED * longestNs) return averageNs;
  return bytes === 0 ? 0 : passedNs({ bytesPerSecond: rate, drops }, 0, bytes);
}

/**
 * The rate of a bucket whose sender wakes late, by an exponential time of mean m. Each time that it waits for a token it
 * comes late by X, and then sends what has come in meanwhile, as far as the bucket has room for it; and what comes in while that
 * passes at the rate c of the link, or of what is slower behind it:
 *
 *   S / ((1 − b/c)·(T + m) + S/c),  S = b·(T + m·(1 − exp(−(D − P)/(b·m)))),  T = P/b
 */
function pacedRate(
  reserved: BytesPerSecond | null,
  passedBytesPerSecond: BytesPerSecond,
  latenessMeanNs: Nanos,
  { pageBytes, depthBytes }: { readonly pageBytes: Bytes; readonly depthBytes: Bytes },
): BytesPerSecond {
  if (reserved === null) return Number.POSITIVE_INFINITY;
  if (latenessMeanNs === 0) return reserved;
  const tokenNs = (pageBytes * NANOS_PER_SECOND) / reserved;
  const roomNs = ((depthBytes - pageBytes) * NANOS_PER_SECOND) / reserved;
  const keptNs = -latenessMeanNs * Math.expm1(-roomNs / latenessMeanNs);
  const savedBytes = (reserved * (tokenNs + keptNs)) / NANOS_PER_SECOND;
  const betweenSeconds = (tokenNs + latenessMeanNs) / NANOS_PER_SECOND;
  return (
    savedBytes / ((1 - reserved / passedBytesPerSecond) * betweenSeconds + savedBytes / passedBytesPerSecond)
  );
}

/**
 * What a drop takes on average: in each period what could not pass meanwhile, less what the bucket has saved up by then
 * and passes behind it, if the link is faster than the bucket.
 */
function lostTo(
  { everyNs, lengthNs, bytesPerSecond: dropped }: Bottleneck['drops'][number],
  pacedBytesPerSecond: BytesPerSecond,
  { bytesPerSecond }: Bottleneck,
  { depthBytes }: { readonly depthBytes: Bytes },
): BytesPerSecond {
  const heldBack = (Math.max(0, pacedBytesPerSecond - dropped) * lengthNs) / NANOS_PER_SECOND;
  const spare = ((bytesPerSecond - pacedBytesPerSecond) * (everyNs - lengthNs)) / NANOS_PER_SECOND;
  const caughtUp = Math.min(heldBack, depthBytes, spare);
  return ((heldBack - caughtUp) * NANOS_PER_SECOND) / everyNs;
}
