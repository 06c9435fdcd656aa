import type { WriteRates } from '../../core/migration/heat.ts';
import type { PageSet } from '../../core/migration/pages.ts';
import type { WindowsSeen } from '../../core/migration/windows-seen.ts';
import type { Random } from '../../core/random.ts';
import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import { type Activity, groupRate, type PoissonGroup } from '../../workload/program.ts';
import { activityOf, type GuestSpec, usedPages, writeRatesOf } from '../../workload/programs.ts';
import { DrawnWindows } from './drawn-windows.ts';

/** Writes expected of a page in an interval, above which every page is drawn by itself. */
const SKIPPING_PAYS_BELOW = 0.5;

/** Between two instants of guest time; each page counts from when its dirty bit was last cleared, if that was in between. */
interface Exposure {
  readonly fromNs: Nanos;
  readonly toNs: Nanos;
  readonly clearedAtNs: Float64Array;
  /** Where pages are added that were written. */
  readonly dirty: PageSet;
}

/** The stream of random numbers that a virtual guest draws from; the order draws from another. */
export const GUEST_STREAM = 3;

/**
 * A guest as a process in time: instead of making its steps, it says which pages it has written. Drawn per page
 * from the exact distribution, at a cost of the pages touched, not of the writes or the time.
 */
export class VirtualGuest {
  readonly #spec: GuestSpec;
  readonly #activity: Activity;
  readonly #random: Random;
  readonly #allWritesPerNs: number;

  constructor(spec: GuestSpec, random: Random) {
    this.#spec = spec;
    this.#activity = activityOf(spec);
    this.#random = random;
    this.#allWritesPerNs = this.#activity.kind === 'poisson' ? allWritesPerNs(this.#activity.groups) : 0;
  }

  /** How often each page is written in the long run. */
  writeRates(): WriteRates {
    return writeRatesOf(this.#spec, this.#activity);
  }

  /**
   * Adds to `dirty` every page written between two instants of guest time; but a page whose dirty bit was
   * cleared in between (`clearedAtNs`, guest time) only if it was written after that.
   */
  writes(fromNs: Nanos, toNs: Nanos, clearedAtNs: Float64Array, dirty: PageSet): void {
    if (toNs <= fromNs) return;
    const exposure = { fromNs, toNs, clearedAtNs, dirty };
    const page0From = Math.max(fromNs, clearedAtNs[0]!);
    const activity = this.#activity;
    switch (activity.kind) {
      case 'poisson':
        for (const group of activity.groups) this.#poisson(group, exposure);
        if (this.#writesAny(page0From, toNs)) dirty.add(0);
        break;
      case 'curve':
        this.#curve(activity.differentPages, exposure);
        break;
      case 'timeline':
        activity.lastWrites(fromNs, toNs, (page, atNs) => {
          if (atNs > clearedAtNs[page]!) dirty.add(page);
          if (atNs > page0From) dirty.add(0);
        });
    }
    if (this.#beats(page0From, toNs)) dirty.add(0);
  }

  /** The pages that are written independently of each other and of the past; undefined: the guest has a program with a memory. */
  get writers(): readonly PoissonGroup[] | undefined {
    return this.#activity.kind === 'poisson' ? this.#activity.groups : undefined;
  }

  /**
   * Which pages are written in windows that end at these instants of guest time, each beginning where the one before it ends.
   * @param windowNs how long each is outside of the guest
   */
  windows(
    writers: readonly PoissonGroup[],
    fromNs: Nanos,
    untilNs: Float64Array,
    windowNs: Nanos,
  ): WindowsSeen {
    const before = (window: number) => untilNs[window - 1] ?? fromNs;
    const drawn = new DrawnWindows(
      untilNs.map((at, window) => Math.max(0, at - before(window))),
      this.#random,
    );
    for (const group of writers) drawn.addGroup(group);
    for (let window = 0; window < untilNs.length; window++) {
      const isWritten = this.#writesAny(before(window), untilNs[window]!);
      if (isWritten || this.#beats(before(window), untilNs[window]!)) drawn.addFirstPage(window);
    }
    return drawn.seen(windowNs);
  }

  #writesAny(fromNs: Nanos, toNs: Nanos): boolean {
    return this.#random.uniform() < -Math.expm1(-this.#allWritesPerNs * (toNs - fromNs));
  }

  /** Every step writes page 0, where the guest's registers are, and a heartbeat is a step. */
  #beats(fromNs: Nanos, toNs: Nanos): boolean {
    const { heartbeatPeriodNs } = this.#spec;
    return Math.floor(toNs / heartbeatPeriodNs) > Math.floor(fromNs / heartbeatPeriodNs);
  }

  /** Pr[page written] = 1 − exp(−rate · exposure), independently of all others. */
  #poisson(group: PoissonGroup, exposure: Exposure): void {
    const { fromNs, toNs, clearedAtNs, dirty } = exposure;
    const { pages } = group;
    const mean = (group.mostWritesPerSecond * (toNs - fromNs)) / NANOS_PER_SECOND;
    if (mean === 0) return;
    if (mean < SKIPPING_PAYS_BELOW) {
      this.#poissonSkipping(group, mean, exposure);
      return;
    }
    const random = this.#random;
    for (let i = 0; i < pages.length; i++) {
      const page = pages[i]!;
      if (dirty.has(page)) continue;
      const exposureNs = toNs - Math.max(fromNs, clearedAtNs[page]!);
      if (random.occurs((groupRate(group, i) * exposureNs) / NANOS_PER_SECOND)) dirty.add(page);
    }
  }

  /**
   * The pages that would be written if all were exposed for the whole interval, and all as hot as the hottest of
   * the group, are found by skipping geometrically from one to the next; each is then kept with the ratio of its
   * own probability to that one.
   */
  #poissonSkipping(group: PoissonGroup, mean: number, exposure: Exposure): void {
    const { fromNs, toNs, clearedAtNs, dirty } = exposure;
    const { pages } = group;
    const random = this.#random;
    const most = -Math.expm1(-mean);
    for (let i = random.skips(mean); i < pages.length; i += 1 + random.skips(mean)) {
      const page = pages[i]!;
      const exposureNs = toNs - Math.max(fromNs, clearedAtNs[page]!);
      const own = -Math.expm1((-groupRate(group, i) * exposureNs) / NANOS_PER_SECOND);
      if (random.happens(own / most)) dirty.add(page);
    }
  }

  /**
   * Pages alike, of which after an exposure e a share F(e) = D(e)/N is dirty: one clean after e1 is dirty after e2
   * with probability (F(e2) − F(e1)) / (1 − F(e1)). For a concave curve that is at most F(e2 − e1).
   */
  #curve(differentPages: (ns: Nanos) => number, exposure: Exposure): void {
    const { fromNs, toNs, clearedAtNs, dirty } = exposure;
    const pages = usedPages(this.#spec);
    const share = (ns: Nanos) => Math.min(1, differentPages(ns) / pages);
    const most = share(toNs - fromNs);
    if (most === 0) return;
    const mean = -Math.log1p(-Math.min(most, 1 - 1e-12));
    const random = this.#random;
    for (let page = random.skips(mean); page < pages; page += 1 + random.skips(mean)) {
      const cleared = clearedAtNs[page]!;
      const before = share(Math.max(0, fromNs - cleared));
      const own = before >= 1 ? 1 : (share(toNs - cleared) - before) / (1 - before);
      if (random.uniform() * most < own) dirty.add(page);
    }
  }
}

function allWritesPerNs(groups: readonly PoissonGroup[]): number {
  let sum = 0;
  for (const { pages, mostWritesPerSecond, writesPerSecond } of groups) {
    sum += writesPerSecond
      ? writesPerSecond.reduce((total, rate) => total + rate, 0)
      : pages.length * mostWritesPerSecond;
  }
  return sum / NANOS_PER_SECOND;
}
