import { orderRegistry } from '../../core/migration/order/orders.ts';
import type { Plan } from '../../core/migration/plan.ts';
import { Random } from '../../core/random.ts';
import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { DirtyCurve } from '../../model/curve.ts';
import type { SampledGuest } from '../../model/sampled-memory.ts';
import { curveOf } from '../../workload/dirty-curve.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { meanSpeed } from '../../workload/program-clock.ts';
import { type GuestSpec, usedPages } from '../../workload/programs.ts';
import type { SequentialSpec } from '../../workload/sequential.ts';
import { strataOf } from '../../workload/strata.ts';
import type { StreamSpec } from '../../workload/stream.ts';
import { firstPageOf, firstPageRate } from './first-page.ts';
import { type SampledWriter, withDeferral } from './sampled-deferral.ts';

/** Pages that are written in the same way. */
interface Kind {
  readonly pages: number;
  /** In the long run. */
  readonly writesPerSecond: number;
  /** Where the first of neighbours lies; undefined: scattered over all pages that are used. */
  readonly firstPage?: number;
  /** When page `number` of them is written first after its bit was cleared for the `times`-th time; in guest time. */
  writtenAfter(number: number, clearedAtNs: Nanos, times: number): Nanos;
}

/** The orders that are followed as they are. Others are taken to go by increasing write rates. */
export const sampledOrders: readonly string[] = [
  'address',
  'random',
  'decreasing',
  'increasing',
  'frequency',
  'lru',
];

/** So many pages are followed. A guest of fewer is followed page by page. */
const SAMPLE = 8192;

/** The fractional parts of k·φ are spread evenly, however many are taken (Knuth, TAOCP 3, §6.4). */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** Those of k·√p for several primes p are so together, too (Weyl, 1916): what one says of k tells nothing of the others. */
const ROOTS = [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53].map(Math.sqrt);

/**
 * A sample of the guest's pages. `undefined`: a recording, which is replayed instead (replayed-guest.ts).
 * @param cpuSpeed how fast its program goes for want of CPU time
 */
export function sampledGuest({ guest, plan }: MigrationSpec, cpuSpeed: number): SampledGuest | undefined {
  const kinds = kindsOf(guest, cpuSpeed);
  if (kinds === undefined) return undefined;
  const pages = [firstWriter(guest, plan, cpuSpeed), ...sampleOf(guest, plan, kinds)];
  return {
    kind: 'sampled',
    pages: withDeferral(plan, pages),
    order: orderOf(plan, pages, repeatsItself(guest)),
    clear: plan.clear,
    skip: plan.skip,
  };
}

function kindsOf(guest: GuestSpec, cpuSpeed: number): readonly Kind[] | undefined {
  const { program } = guest;
  const speed = meanSpeed(guest.bursts) * cpuSpeed;
  switch (program.kind) {
    case 'sequential':
    case 'saturating':
      return withOthers(guest, [sweep(program, speed)]);
    case 'stream':
      return withOthers(guest, [ring(program, speed)]);
    case 'dirty-curve':
      return withOthers(guest, [byCurve(curveOf(program, guest.pages), usedPages(guest), speed)]);
    case 'trace':
      return undefined;
    default:
      return withOthers(
        guest,
        strataOf(guest)!
          .filter(({ writesPerSecond }) => writesPerSecond > 0)
          .map(({ pages, writesPerSecond }) => poissonWriters(pages, writesPerSecond * cpuSpeed)),
      );
  }
}

/** And those that are never written, the last of them zero pages. */
function withOthers(guest: GuestSpec, written: readonly Kind[]): readonly Kind[] {
  const never = { writesPerSecond: 0, writtenAfter: () => Number.POSITIVE_INFINITY };
  const idle = usedPages(guest) - written.reduce((sum, { pages }) => sum + pages, 0);
  const beside = written[0]?.firstPage;
  const firstPage = beside === undefined ? {} : { firstPage: beside + written[0]!.pages };
  const all = [
    ...written,
    { ...never, ...firstPage, pages: idle },
    { ...never, pages: guest.zeroPages, firstPage: usedPages(guest) },
  ];
  const most = all.reduce((one, other) => (other.pages > one.pages ? other : one));
  // Page 0 is followed by itself.
  return all
    .map((kind) => (kind === most ? { ...kind, pages: kind.pages - 1 } : kind))
    .filter(({ pages }) => pages > 0);
}

/** Write k = number + c·pages is due at (k + 1) gaps. */
function sweep({ kind, pages, writesPerSecond }: SequentialSpec, speed: number): Kind {
  const gapNs = NANOS_PER_SECOND / (writesPerSecond * speed);
  return {
    pages,
    writesPerSecond: (writesPerSecond * speed) / pages,
    ...(kind === 'sequential' ? { firstPage: 0 } : {}),
    writtenAfter: (number, clearedAtNs) => {
      const next = nextInRow(number, pages, Math.floor(clearedAtNs / gapNs));
      return (next + 1) * gapNs;
    },
  };
}

/** Copies of a frame follow each other at the CPU time that each takes, the frames at their period. */
function ring({ framePeriodNs, cpuPerFrameNs, pagesPerFrame, bufferPages }: StreamSpec, speed: number): Kind {
  const [periodNs, copyNs] = [framePeriodNs / speed, cpuPerFrameNs / pagesPerFrame / speed];
  return {
    pages: bufferPages,
    writesPerSecond: (pagesPerFrame * NANOS_PER_SECOND) / periodNs / bufferPages,
    firstPage: 1,
    writtenAfter: (number, clearedAtNs) => {
      const frames = Math.floor(clearedAtNs / periodNs);
      const copied = copyNs === 0 ? pagesPerFrame : Math.floor((clearedAtNs - frames * periodNs) / copyNs);
      const done = frames === 0 ? 0 : (frames - 1) * pagesPerFrame + Math.min(pagesPerFrame, copied);
      const next = nextInRow(number, bufferPages, done);
      return (Math.floor(next / pagesPerFrame) + 1) * periodNs + ((next % pagesPerFrame) + 1) * copyNs;
    },
  };
}

/** The first write to page `number` of a row that is repeated for ever, `done` writes of which have been made. */
function nextInRow(number: number, length: number, done: number): number {
  return number + length * Math.max(0, Math.ceil((done - number) / length));
}

/** Independent pages: what is left to chance is spread evenly over them, and anew each time. */
function poissonWriters(pages: number, writesPerSecond: number): Kind {
  return {
    pages,
    writesPerSecond,
    writtenAfter: (number, clearedAtNs, times) => clearedAtNs + randomGapNs(number, times, writesPerSecond),
  };
}

function randomGapNs(number: number, times: number, writesPerSecond: number): Nanos {
  return (-Math.log1p(-chance(number, times)) * NANOS_PER_SECOND) / writesPerSecond;
}

/** Pages alike, of which a share D(e)/N is written in a time e that begins with all of them clean. */
function byCurve(dirtyPages: DirtyCurve, pages: number, speed: number): Kind {
  const share = (ns: Nanos) => Math.min(1, dirtyPages(ns * speed) / pages);
  return {
    pages,
    writesPerSecond: share(NANOS_PER_SECOND),
    writtenAfter: (number, clearedAtNs, times) => clearedAtNs + firstAbove(share, chance(number, times)),
  };
}

function chance(number: number, times: number): number {
  return ((number + 0.5) * ROOTS[times % ROOTS.length]!) % 1;
}

/** Longer than any migration: some 30 years. */
const EVER_NS = 1e18;

/** The least time at which a rising share is above a level, to a thousandth; infinity: it never is. */
function firstAbove(share: (ns: Nanos) => number, level: number): Nanos {
  if (share(EVER_NS) <= level) return Number.POSITIVE_INFINITY;
  let [low, high] = [1, EVER_NS];
  while (high > low * 1.001) {
    const middle = Math.sqrt(low * high);
    if (share(middle) > level) high = middle;
    else low = middle;
  }
  return high;
}

function sampleOf(guest: GuestSpec, plan: Plan, kinds: readonly Kind[]): readonly SampledWriter[] {
  const startNs = startOf(plan);
  const isRandom = !repeatsItself(guest);
  const least = Math.floor(SAMPLE / (2 * kinds.length));
  let scattered = 0;
  return kinds.flatMap((kind) => {
    const wanted = Math.max(least, Math.ceil((SAMPLE * kind.pages) / guest.pages));
    const count = Math.min(kind.pages, wanted);
    const weight = kind.pages / count;
    const { firstPage, writesPerSecond } = kind;
    return Array.from({ length: count }, (_, index) => {
      const number = Math.floor((index + 0.5) * weight);
      const address =
        firstPage === undefined ? ((++scattered * GOLDEN) % 1) * usedPages(guest) : firstPage + number;
      const writtenAfter = (clearedAtNs: Nanos, times: number) =>
        kind.writtenAfter(number, clearedAtNs + startNs, times) - startNs;
      return { page: { address, weight, writtenAfter, isRandom }, writesPerSecond };
    });
  });
}

/** Page 0. An estimate finds it as hot as it is, who knows the program thinks it like the others of its class. */
function firstWriter(guest: GuestSpec, plan: Plan, cpuSpeed: number): SampledWriter {
  const first = firstPageOf(guest);
  const speed = meanSpeed(guest.bursts) * cpuSpeed;
  const startNs = startOf(plan);
  const writtenAfter = (clearedAtNs: Nanos, times: number) => {
    const atNs = clearedAtNs + startNs;
    const random = atNs + randomGapNs(0, times, first.randomWritesPerSecond * speed);
    const steady = first.periodsNs.map((ns) => (Math.floor((atNs * speed) / ns) + 1) * (ns / speed));
    return Math.min(random, ...steady) - startNs;
  };
  const writesPerSecond =
    plan.heat === 'known'
      ? first.knownWritesPerSecond * meanSpeed(guest.bursts)
      : firstPageRate(first, speed, plan.windowNs);
  return { page: { address: 0, weight: 1, writtenAfter, isRandom: false }, writesPerSecond };
}

/** How long the guest has run when its migration starts: what a repeated row of writes has come to by then. */
function startOf(plan: Plan): Nanos {
  return estimatesHeat(plan) ? plan.observeNs : 0;
}

/** Whether the guest is watched before the first round. */
export function estimatesHeat({ order, defer, heat }: Plan): boolean {
  return heat === 'estimated' && (orderRegistry.get(order).heat !== 'none' || defer !== null);
}

/** Whether the program writes the same pages in the same order again and again. */
export function repeatsItself({ program }: GuestSpec): boolean {
  return program.kind === 'sequential' || program.kind === 'saturating' || program.kind === 'stream';
}

/** By page number, by write rates, or in any order; pages of one rate in any. */
function orderOf(
  { order, heat }: Plan,
  pages: readonly SampledWriter[],
  isRow: boolean,
): SampledGuest['order'] {
  const sorted = (random: Random, key: (page: SampledWriter) => number) => {
    const all = random.shuffle(Uint32Array.from(pages.keys()));
    return all.sort((one, other) => key(pages[one]!) - key(pages[other]!));
  };
  const isRecency = isRow && orderRegistry.get(order).heat === 'recency' && heat === 'estimated';
  // Of a row that is repeated, what was written longest ago is written next.
  const recency = ({ page }: SampledWriter) => {
    const writtenNs = page.writtenAfter(0, 0);
    return writtenNs === Number.POSITIVE_INFINITY ? -1 : writtenNs;
  };
  return (round) => {
    const random = Random.seeded(round);
    if (order === 'address') return sorted(random, ({ page }) => page.address);
    if (order === 'random') return random.shuffle(Uint32Array.from(pages.keys()));
    if (order === 'decreasing') return sorted(random, ({ writesPerSecond }) => -writesPerSecond);
    if (isRecency) return sorted(random, recency);
    return sorted(random, ({ writesPerSecond }) => writesPerSecond);
  };
}
