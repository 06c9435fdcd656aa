import { setTimeout as sleep } from 'node:timers/promises';
import type { PageSet } from '../../core/migration/pages.ts';
import { NANOS_PER_MILLISECOND, type Nanos } from '../../core/units.ts';
import { clockNs } from '../../platform/clock.ts';
import type { DirtyLog } from './dirty-log.ts';

/** Sampling windows: the first begins when it is asked for, each later one where the one before it ended. */
export class SamplingWindows {
  readonly #log: DirtyLog;
  #windowBeganAtNs: Nanos | undefined;

  constructor(log: DirtyLog) {
    this.#log = log;
  }

  async next(windowNs: Nanos): Promise<{ readonly dirty: PageSet; readonly windowNs: Nanos }> {
    if (this.#windowBeganAtNs === undefined) {
      this.#log.take();
      this.#windowBeganAtNs = clockNs();
    }
    const beganAtNs = this.#windowBeganAtNs;
    await sleep(Math.max(0, beganAtNs + windowNs - clockNs()) / NANOS_PER_MILLISECOND);
    const dirty = this.#log.take();
    this.#windowBeganAtNs = clockNs();
    return { dirty, windowNs: this.#windowBeganAtNs - beganAtNs };
  }
}
