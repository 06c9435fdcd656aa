import type { DepartureRun } from '../../core/link/bucket.ts';
import { lumpedLayout, type WrittenStratum } from '../../core/migration/lumped/lumped-layout.ts';
import {
  type LumpedBatch,
  LumpedPages,
  type LumpedStratum,
} from '../../core/migration/lumped/lumped-pages.ts';
import { Random } from '../../core/random.ts';
import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { MigrationSpec } from '../../workload/migration-spec.ts';
import { meanSpeed, type ProgramClock } from '../../workload/program-clock.ts';
import type { GuestSpec } from '../../workload/programs.ts';
import { strataOf } from '../../workload/strata.ts';
import { PageZero } from './page-zero.ts';
import { PoissonStratum } from './poisson-stratum.ts';
import type { StratumPages } from './stratum-pages.ts';
import { SweepStratum } from './sweep-stratum.ts';
import { GUEST_STREAM } from './virtual-guest.ts';

/** The streams of random numbers of a guest: where its pages are, and which it writes. */
const LAYOUT_STREAM = 2;

/** A guest's memory in counts: how many pages of each stratum are dirty, drawn from look to look. */
export class LumpedMemory {
  readonly #strata: readonly LumpedStratum[];
  readonly #pages: readonly StratumPages[];
  /** Whether only pages are sent that are not dirty again. */
  readonly #skips: boolean;

  constructor({ guest, plan }: MigrationSpec, clock: ProgramClock) {
    this.#skips = plan.skip;
    const inLongRun = writtenStrata(guest)!;
    this.#strata = lumpedLayout(plan, inLongRun, guest.zeroPages, Random.seeded(guest.seed, LAYOUT_STREAM));
    const random = Random.seeded(guest.seed, GUEST_STREAM);
    this.#pages = this.#strata.map((stratum) => pagesOf(stratum, guest, random, clock));
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

  /** It was the turn of those of a batch that are dirty again. */
  passOver({ shares }: LumpedBatch): void {
    for (const { stratum, passedOver } of shares) this.#pages[stratum]!.passOver(passedOver);
  }

  /**
   * So many pages of each share of a batch have left.
   * @param cleared their dirty bits were cleared as they left, those that are not zero at these instants; by now the guest has run
   *   for so long
   */
  sent(
    { shares }: LumpedBatch,
    counts: readonly number[],
    cleared?: { readonly departures: readonly DepartureRun[]; readonly ranNs: Nanos },
  ): void {
    for (const [index, { stratum }] of shares.entries()) {
      const [pages, count] = [this.#pages[stratum]!, counts[index]!];
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

/** What a guest's program tells apart; `undefined`: nothing that strata could say. */
export function writtenStrata(guest: GuestSpec): readonly WrittenStratum[] | undefined {
  const { program } = guest;
  if (program.kind !== 'saturating') return strataOf(guest);
  const { pages, writesPerSecond } = program;
  const swept = { pages, writesPerSecond: (writesPerSecond / pages) * meanSpeed(guest.bursts) };
  return guest.pages > pages ? [swept, { pages: guest.pages - pages, writesPerSecond: 0 }] : [swept];
}

function pagesOf(
  { pages, writer }: LumpedStratum,
  guest: GuestSpec,
  random: Random,
  clock: ProgramClock,
): StratumPages {
  const { program, heartbeatPeriodNs } = guest;
  // The clock knows the bursts: pages are written in the program's own time.
  const written = writtenStrata({ ...guest, bursts: undefined })!;
  const sweepGapNs = program.kind === 'saturating' ? NANOS_PER_SECOND / program.writesPerSecond : undefined;
  if (writer === 'page 0') {
    const all = written.reduce((sum, each) => sum + each.pages * each.writesPerSecond, 0);
    return sweepGapNs === undefined
      ? new PageZero(all / NANOS_PER_SECOND, [heartbeatPeriodNs], random, clock)
      : new PageZero(0, [heartbeatPeriodNs, sweepGapNs], random, clock);
  }
  if (sweepGapNs !== undefined && writer === 0) return new SweepStratum(pages + 1, sweepGapNs, random, clock);
  const { writesPerSecond } = writer === 'nobody' ? { writesPerSecond: 0 } : written[writer]!;
  return new PoissonStratum(pages, writesPerSecond / NANOS_PER_SECOND, random, clock);
}
