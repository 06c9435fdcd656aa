import type { DepartureRun } from '../../core/link/bucket.ts';
import { lumpedLayout } from '../../core/migration/lumped/lumped-layout.ts';
import {
  type LumpedBatch,
  LumpedPages,
  type LumpedStratum,
} from '../../core/migration/lumped/lumped-pages.ts';
import { Random } from '../../core/random.ts';
import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import type { ProgramClock } from '../../workload/program-clock.ts';
import { strataOf } from '../../workload/strata.ts';
import { PageZero } from './page-zero.ts';
import { PoissonStratum } from './poisson-stratum.ts';
import type { StratumPages } from './stratum-pages.ts';

/** The streams of random numbers of a guest: where its pages are, and which it writes. */
const LAYOUT_STREAM = 2;
const GUEST_STREAM = 3;

/** A guest's memory in counts: how many pages of each stratum are dirty, drawn from look to look. */
export class LumpedMemory {
  readonly #strata: readonly LumpedStratum[];
  readonly #pages: readonly StratumPages[];
  /** Whether only pages are sent that are not dirty again. */
  readonly #skips: boolean;

  constructor({ guest, plan }: MigrationSpec, clock: ProgramClock) {
    this.#skips = plan.skip;
    // The clock knows the bursts: strata are written in the program's own time.
    const written = strataOf({ ...guest, bursts: undefined })!;
    const random = Random.seeded(guest.seed, GUEST_STREAM);
    const all = written.reduce((sum, { pages, writesPerSecond }) => sum + pages * writesPerSecond, 0);
    const inLongRun = strataOf(guest)!;
    this.#strata = lumpedLayout(plan, inLongRun, guest.zeroPages, Random.seeded(guest.seed, LAYOUT_STREAM));
    this.#pages = this.#strata.map(({ pages, writer }) => {
      if (writer === 'page 0') {
        return new PageZero(all / NANOS_PER_SECOND, guest.heartbeatPeriodNs, random, clock);
      }
      const { writesPerSecond } = writer === 'nobody' ? { writesPerSecond: 0 } : written[writer]!;
      return new PoissonStratum(pages, writesPerSecond / NANOS_PER_SECOND, random, clock);
    });
  }

  draw(ranNs: Nanos): void {
    for (const pages of this.#pages) pages.draw(ranNs);
  }

  track(): void {
    for (const pages of this.#pages) pages.track();
  }

  take(): void {
    for (const pages of this.#pages) pages.take();
  }

  /** How many of a batch hold only zeros. */
  zeroPagesOf({ sent }: LumpedBatch): number {
    return sent.reduce((sum, count, stratum) => sum + (this.#strata[stratum]!.isZero ? count : 0), 0);
  }

  /**
   * The pages of a batch have left.
   * @param cleared their dirty bits were cleared as they left, those that are not zero at these instants; by now the guest has run
   *   for so long
   */
  sent(
    { sent, passedOver }: LumpedBatch,
    cleared?: { readonly departures: readonly DepartureRun[]; readonly ranNs: Nanos },
  ): void {
    for (const [stratum, pages] of this.#pages.entries()) {
      const [count, passed] = [sent[stratum]!, passedOver[stratum]!];
      if (passed > 0) pages.passOver(passed);
      if (count === 0) continue;
      if (cleared) pages.sendCleared(count, cleared.departures, cleared.ranNs);
      else pages.send(count, this.#skips);
    }
  }

  /** As of the last draw. */
  counts(): LumpedPages {
    const of = (count: (pages: StratumPages) => number) => Float64Array.from(this.#pages, count);
    return new LumpedPages(
      this.#strata,
      of(({ owed }) => owed),
      of(({ dirtyAgain }) => dirtyAgain),
      of(({ dirty }) => dirty),
    );
  }
}
