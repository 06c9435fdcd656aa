import { Random } from '../core/random.ts';
import type { Nanos } from '../core/units.ts';

/** Once in every period, for a length of time, a guest's program runs so many times as fast. */
export interface Bursts {
  readonly everyNs: Nanos;
  readonly lengthNs: Nanos;
  readonly factor: number;
}

const BURST_STREAM = 8;

/**
 * The clock that a guest's program goes by. It shows for how long the guest has run, and in a burst it goes faster:
 *
 *   program(t) = t + (factor − 1) · (the time within bursts until t)
 *
 * so that everything the program does comes thicker then, its heartbeats too. Where in a period the guest begins
 * depends on its seed; the burst is at the period's end.
 */
export class ProgramClock {
  readonly #bursts: Bursts | undefined;
  /** Since the beginning of a period, when the guest begins to run. */
  readonly #phaseNs: Nanos;
  /** What the clock would show by then, had it begun with the period. */
  readonly #shownAtStartNs: Nanos;

  constructor({ bursts, seed }: { readonly bursts?: Bursts | undefined; readonly seed: number }) {
    this.#bursts = bursts;
    this.#phaseNs = bursts ? Math.floor(Random.seeded(seed, BURST_STREAM).uniform() * bursts.everyNs) : 0;
    this.#shownAtStartNs = bursts ? shownNs(bursts, this.#phaseNs) : 0;
  }

  /** What it shows once the guest has run for so long. */
  programNs(ranNs: Nanos): Nanos {
    if (!this.#bursts) return ranNs;
    return shownNs(this.#bursts, this.#phaseNs + ranNs) - this.#shownAtStartNs;
  }

  /** The same of many instants. It may be the same row. */
  programRow(ranNs: Float64Array): Float64Array {
    return this.#bursts ? ranNs.map((ns) => this.programNs(ns)) : ranNs;
  }

  /** For how long the guest has run when it shows that. */
  ranNs(programNs: Nanos): Nanos {
    if (!this.#bursts) return programNs;
    const { everyNs, lengthNs, factor } = this.#bursts;
    const calmNs = everyNs - lengthNs;
    const periodNs = calmNs + factor * lengthNs;
    const shown = programNs + this.#shownAtStartNs;
    const periods = Math.floor(shown / periodNs);
    const rest = shown - periods * periodNs;
    const into = rest <= calmNs ? rest : calmNs + (rest - calmNs) / factor;
    return periods * everyNs + into - this.#phaseNs;
  }

  /** Until when it goes at one speed, once the guest has run for so long. */
  steadyUntilNs(ranNs: Nanos): Nanos {
    if (!this.#bursts) return Number.POSITIVE_INFINITY;
    const { everyNs, lengthNs } = this.#bursts;
    const since = this.#phaseNs + ranNs;
    const periodNs = Math.floor(since / everyNs) * everyNs;
    const burstNs = periodNs + everyNs - lengthNs;
    return (since < burstNs ? burstNs : periodNs + everyNs) - this.#phaseNs;
  }
}

/** How fast the clock goes in the mean. */
export function meanSpeed(bursts: Bursts | undefined): number {
  return bursts ? 1 + ((bursts.factor - 1) * bursts.lengthNs) / bursts.everyNs : 1;
}

function shownNs({ everyNs, lengthNs, factor }: Bursts, sinceNs: Nanos): Nanos {
  const periods = Math.floor(sinceNs / everyNs);
  const burstNs = Math.max(0, sinceNs - periods * everyNs - (everyNs - lengthNs));
  return sinceNs + (factor - 1) * (periods * lengthNs + burstNs);
}
