import type { PageSet } from '../../core/migration/pages.ts';
import type { Random } from '../../core/random.ts';
import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { Activity, PoissonGroup } from '../guests/program.ts';
import { activityOf, type GuestSpec } from '../guests/programs.ts';

/**
 * A guest as a process in time: instead of making its steps, it says which pages it has written. Drawn per page
 * from the exact distribution, at a cost of the pages touched, not of the writes or the time.
 */
export class VirtualGuest {
  readonly #activity: Activity;
  readonly #heartbeatPeriodNs: Nanos;
  readonly #random: Random;
  readonly #allWritesPerNs: number;

  constructor(spec: GuestSpec, random: Random) {
    this.#activity = activityOf(spec);
    this.#heartbeatPeriodNs = spec.heartbeatPeriodNs;
    this.#random = random;
    this.#allWritesPerNs = this.#activity.kind === 'poisson' ? allWritesPerNs(this.#activity.groups) : 0;
  }

  /**
   * Adds to `dirty` every page written between two instants of guest time; but a page whose dirty bit was
   * cleared in between (`clearedAtNs`, guest time) only if it was written after that.
   */
  writes(fromNs: Nanos, toNs: Nanos, clearedAtNs: Float64Array, dirty: PageSet): void {
    if (toNs <= fromNs) return;
    const page0From = Math.max(fromNs, clearedAtNs[0]!);
    if (this.#activity.kind === 'poisson') {
      for (const group of this.#activity.groups) this.#poisson(group, fromNs, toNs, clearedAtNs, dirty);
      if (this.#random.uniform() < -Math.expm1(-this.#allWritesPerNs * (toNs - page0From))) dirty.add(0);
    } else {
      this.#activity.lastWrites(fromNs, toNs, (page, atNs) => {
        if (atNs > clearedAtNs[page]!) dirty.add(page);
        if (atNs > page0From) dirty.add(0);
      });
    }
    // Every step writes page 0, where the guest's registers are, and a heartbeat is a step.
    const beats =
      Math.floor(toNs / this.#heartbeatPeriodNs) - Math.floor(page0From / this.#heartbeatPeriodNs);
    if (beats > 0) dirty.add(0);
  }

  /**
   * Pr[page written] = 1 − exp(−rate · exposure). The pages that would be written were all exposed for the whole
   * interval are found by skipping geometrically from one to the next; each is then kept with the ratio of its
   * own probability to that one.
   */
  #poisson(group: PoissonGroup, fromNs: Nanos, toNs: Nanos, clearedAtNs: Float64Array, dirty: PageSet): void {
    const { pages } = group;
    const ratePerNs = group.writesPerSecond / NANOS_PER_SECOND;
    const mean = ratePerNs * (toNs - fromNs);
    if (mean === 0) return;
    const random = this.#random;
    const most = -Math.expm1(-mean);
    for (let i = Math.floor(random.exponential(1 / mean)); i < pages.length; ) {
      const page = pages[i]!;
      const cleared = clearedAtNs[page]!;
      if (cleared <= fromNs) dirty.add(page);
      else if (random.uniform() * most < -Math.expm1(-ratePerNs * (toNs - cleared))) dirty.add(page);
      i += 1 + Math.floor(random.exponential(1 / mean));
    }
  }
}

function allWritesPerNs(groups: readonly PoissonGroup[]): number {
  return groups.reduce(
    (sum, group) => sum + (group.pages.length * group.writesPerSecond) / NANOS_PER_SECOND,
    0,
  );
}
