import type { DepartureRun } from '../../core/link/bucket.ts';
import type { Random } from '../../core/random.ts';
import { binomial, hypergeometric } from '../../core/random-counts.ts';
import type { Nanos } from '../../core/units.ts';
import type { ProgramClock } from '../../workload/program-clock.ts';
import { keptClean } from './kept-clean.ts';
import type { StratumPages } from './stratum-pages.ts';

/**
 * Pages that are written as by Poisson: the future of a page does not depend on its past, so that of n pages which are clean at
 * one instant Binomial(n, 1 − exp(−λ·Δ)) are dirty at another.
 */
export class PoissonStratum implements StratumPages {
  owed = 0;
  dirtyAgain = 0;
  dirty = 0;
  readonly #pages: number;
  readonly #writesPerNs: number;
  protected readonly random: Random;
  protected readonly clock: ProgramClock;
  /** Up to this program time its pages are drawn. */
  #drawnUntilNs: Nanos = 0;

  constructor(pages: number, writesPerNs: number, random: Random, clock: ProgramClock) {
    this.#pages = pages;
    this.#writesPerNs = writesPerNs;
    this.random = random;
    this.clock = clock;
  }

  draw(ranNs: Nanos): void {
    const untilNs = this.clock.programNs(ranNs);
    const probability = this.written(this.#drawnUntilNs, untilNs);
    this.#drawnUntilNs = untilNs;
    if (probability === 0) return;
    const clean = this.#pages - this.owed - this.dirtyAgain - this.dirty;
    this.dirty += binomial(this.random, clean, probability);
    const again = binomial(this.random, this.owed, probability);
    this.owed -= again;
    this.dirtyAgain += again;
  }

  track(): void {
    this.owed = 0;
    this.dirtyAgain = 0;
    this.dirty = this.#pages;
  }

  take(): void {
    this.owed += this.dirtyAgain + this.dirty;
    this.dirtyAgain = 0;
    this.dirty = 0;
  }

  passOver(pages: number): void {
    this.dirtyAgain -= pages;
    this.dirty += pages;
  }

  send(pages: number, areClean: boolean): void {
    const again = areClean ? 0 : hypergeometric(this.random, this.dirtyAgain, this.owed, pages);
    this.passOver(again);
    this.owed -= pages - again;
  }

  sendCleared(pages: number, departures: readonly DepartureRun[], ranNs: Nanos): void {
    this.draw(ranNs);
    const again = hypergeometric(this.random, this.dirtyAgain, this.owed, pages);
    this.dirtyAgain -= again;
    this.owed -= pages - again;
    this.dirty += binomial(this.random, pages, this.writtenSince(departures, ranNs));
  }

  /** The probability that a page was written between two instants of program time. */
  protected written(fromNs: Nanos, untilNs: Nanos): number {
    return untilNs > fromNs ? -Math.expm1(-this.#writesPerNs * (untilNs - fromNs)) : 0;
  }

  /** The probability that a page was written since it left, at one of these instants. */
  protected writtenSince(departures: readonly DepartureRun[], ranNs: Nanos): number {
    return this.#writesPerNs === 0 ? 0 : 1 - keptClean(departures, this.#writesPerNs, ranNs, this.clock);
  }
}
