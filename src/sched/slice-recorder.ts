import type { Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { threadCpuNs } from '../platform/thread-clock.ts';
import type { Timeline } from './timeline.ts';

/** Who has lost more than this since the last look did not have a processor all the time. */
const GAP_NS = 50_000;
/** A stretch that goes on for longer is written down in pieces, so that a reader knows how far it has come. */
const LONGEST_STRETCH_NS = 1_000_000;

/**
 * Compares the wall clock and the calling thread's CPU clock again and again, and writes down the stretches in
 * which the thread ran. One look costs about a microsecond.
 */
export class SliceRecorder {
  readonly #timeline: Timeline;
  readonly #cpuAtOpeningNs = threadCpuNs();
  #startNs = 0;
  #startCpuNs = 0;
  /** When it was last looked. */
  lookedAtNs = clockNs();
  /** CPU time since this recorder was made, at the last look. */
  cpuNs = 0;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /**
   * A stretch begins, together with the CPU time that the thread took to get here: nothing that it uses remains
   * outside. Returns when the stretch began.
   */
  starts(): Nanos {
    this.#startCpuNs = this.cpuNs;
    const stoppedNs = this.lookedAtNs;
    this.#read();
    this.#startNs = Math.max(stoppedNs, this.lookedAtNs - (this.cpuNs - this.#startCpuNs));
    return this.#startNs;
  }

  /** Where time has passed that this thread did not get, a stretch has ended and another one begun. */
  look(): void {
    const [beforeNs, cpuBeforeNs] = [this.lookedAtNs, this.cpuNs];
    this.#read();
    const ranNs = this.cpuNs - cpuBeforeNs;
    if (this.lookedAtNs - beforeNs - ranNs > GAP_NS) this.#ends(beforeNs + ranNs);
    else if (this.lookedAtNs - this.#startNs > LONGEST_STRETCH_NS) this.#ends(this.lookedAtNs);
  }

  /** The stretch ends now. Returns when that is. */
  stops(): Nanos {
    this.look();
    this.#ends(this.lookedAtNs);
    return this.lookedAtNs;
  }

  #ends(endNs: Nanos): void {
    const cpuNs = this.cpuNs - this.#startCpuNs;
    if (cpuNs > 0) this.#timeline.ran(this.#startNs, endNs, cpuNs);
    this.#startNs = this.lookedAtNs;
    this.#startCpuNs = this.cpuNs;
  }

  /** The CPU clock first: a thread that is stopped at reading it finds that out at the wall clock. */
  #read(): void {
    this.cpuNs = threadCpuNs() - this.#cpuAtOpeningNs;
    this.lookedAtNs = clockNs();
  }
}
