import { NANOS_PER_SECOND, type Nanos } from '../units.ts';

/**
 * The working set of writes: the different pages that were written in the last τ (Denning, The working set model
 * for program behavior, 1968, W(t, τ)), and how many page writes a second were seen there.
 */
export class WorkingSet {
  readonly #windowNs: Nanos;
  /** The samples of the window, oldest first. */
  readonly #samples: { readonly atNs: Nanos; readonly pages: Uint32Array }[] = [];

  constructor(windowNs: Nanos) {
    this.#windowNs = windowNs;
  }

  /** @param pages those that changed since the sample before */
  see(atNs: Nanos, pages: Uint32Array): void {
    this.#samples.push({ atNs, pages });
    while (this.#samples[0]!.atNs <= atNs - this.#windowNs) this.#samples.shift();
  }

  get pages(): number {
    const different = new Set<number>();
    for (const { pages } of this.#samples) for (const page of pages) different.add(page);
    return different.size;
  }

  /** @param sinceNs when the recording began: a window is no longer than what was seen */
  writesPerSecond(sinceNs: Nanos): number {
    const last = this.#samples.at(-1);
    if (!last || last.atNs <= sinceNs) return 0;
    const writes = this.#samples.reduce((sum, { pages }) => sum + pages.length, 0);
    return (writes * NANOS_PER_SECOND) / Math.min(this.#windowNs, last.atNs - sinceNs);
  }
}
