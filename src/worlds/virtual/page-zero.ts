import type { DepartureRun } from '../../core/link/bucket.ts';
import type { Random } from '../../core/random.ts';
import type { Nanos } from '../../core/units.ts';
import type { ProgramClock } from '../../workload/program-clock.ts';
import { PoissonStratum } from './poisson-stratum.ts';

/** Page 0, where the guest's registers are: every step of its program writes it, and a heartbeat is a step. */
export class PageZero extends PoissonStratum {
  readonly #periodsNs: readonly Nanos[];

  /** @param periodsNs of the steps that come at a steady pace of program time */
  constructor(allWritesPerNs: number, periodsNs: readonly Nanos[], random: Random, clock: ProgramClock) {
    super(1, allWritesPerNs, random, clock);
    this.#periodsNs = periodsNs;
  }

  protected override written(fromNs: Nanos, untilNs: Nanos): number {
    const isDue = (periodNs: Nanos) => Math.floor(untilNs / periodNs) > Math.floor(fromNs / periodNs);
    return this.#periodsNs.some(isDue) ? 1 : super.written(fromNs, untilNs);
  }

  /** It is one page, so the instant at which it left is one of them. */
  protected override writtenSince(departures: readonly DepartureRun[], ranNs: Nanos): number {
    let place = this.random.below(departures.reduce((sum, { count }) => sum + count, 0));
    const run = departures.find(({ count }) => {
      if (place < count) return true;
      place -= count;
      return false;
    })!;
    const leftAtNs = Math.min(run.lastNs, run.firstNs + place * run.gapNs);
    return this.written(this.clock.programNs(leftAtNs), this.clock.programNs(ranNs));
  }
}
