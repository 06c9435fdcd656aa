import { setTimeout as sleep } from 'node:timers/promises';
import { NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import type { DirtyPages, SourceGuest } from './source-guest.ts';

/** Sampling windows: the first begins when it is asked for, each later one where the one before it ended. */
export class SamplingWindows {
  readonly #guest: SourceGuest;
  #beganAtNs: Nanos | undefined;

  constructor(guest: SourceGuest) {
    this.#guest = guest;
  }

  async next(windowNs: Nanos): Promise<DirtyPages & { readonly windowNs: Nanos }> {
    const beganAtNs = this.#beganAtNs ?? (await this.#guest.dirtyPages(true)).atNs;
    await sleep(Math.max(0, beganAtNs + windowNs - clockNs()) / NANOS_PER_MILLISECOND);
    const seen = await this.#guest.dirtyPages(true);
    this.#beganAtNs = seen.atNs;
    return { ...seen, windowNs: seen.atNs - beganAtNs };
  }
}
