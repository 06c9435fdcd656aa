import type { Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { threadCpuNs } from '../platform/thread-clock.ts';
import type { Timeline } from './timeline.ts';

/** A thread that has lost more than this since the last reading did not have a processor all the time. */
const GAP_NS = 50_000;
/** A stretch that goes on for longer is written down in pieces, so that a reader knows how far it has come. */
const LONGEST_STRETCH_NS = 1_000_000;

/**
 * Compares the wall clock and the calling thread's CPU clock again and again, and writes down the stretches in
 * which the thread ran. One reading costs about a microsecond.
 */
export class SliceRecorder {
  readonly #timeline: Timeline;
  readonly #cpuAtOpeningNs = threadCpuNs();
  #startNs = 0;
  #startCpuNs = 0;
  /** When the clocks were last read. */
  readAtNs = clockNs();
  /** CPU time since this recorder was made, at the last reading. */
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
    const stoppedNs = this.readAtNs;
    this.#readClocks();
    this.#startNs = Math.max(stoppedNs, this.readAtNs - (this.cpuNs - this.#startCpuNs));
    return this.#startNs;
  }

  /** Where time has passed that this thread did not get, a stretch has ended and another one begun. */
  read(): void {
    const [beforeNs, cpuBeforeNs] = [this.readAtNs, this.cpuNs];
    this.#readClocks();
    const ranNs = this.cpuNs - cpuBeforeNs;
    if (this.readAtNs - beforeNs - ranNs > GAP_NS) this.#ends(beforeNs + ranNs);
    else if (this.readAtNs - this.#startNs > LONGEST_STRETCH_NS) this.#ends(this.readAtNs);
  }

  /** The stretch ends now. Returns when that is. */
  stops(): Nanos {
    this.read();
    this.#ends(this.readAtNs);
    return this.readAtNs;
  }

  #ends(endNs: Nanos): void {
    const cpuNs = this.cpuNs - this.#startCpuNs;
    if (cpuNs > 0) this.#timeline.ran(this.#startNs, endNs, cpuNs);
    this.#startNs = this.readAtNs;
    this.#startCpuNs = this.cpuNs;
  }

  /** The CPU clock first: a thread that is stopped at reading it finds that out at the wall clock. */
  #readClocks(): void {
    this.cpuNs = threadCpuNs() - this.#cpuAtOpeningNs;
    this.readAtNs = clockNs();
  }
}
