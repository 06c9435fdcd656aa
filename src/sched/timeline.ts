import type { Nanos } from '../core/units.ts';
import { sharedMemory } from '../platform/shared-memory.ts';

/** What happened to a thread, in ns of the host's clock. */
export type CpuEvent =
  | { readonly kind: 'wakes' | 'sleeps'; readonly atNs: Nanos }
  | { readonly kind: 'ran'; readonly startNs: Nanos; readonly endNs: Nanos; readonly cpuNs: Nanos };

/** By number, as they are kept. */
const kinds = ['wakes', 'sleeps', 'ran'] as const;

/** Half a minute and more of a busy thread; the reader comes by far more often. */
const CAPACITY = 1 << 15;
const WORDS = 4;
const HEADER_BYTES = 8;

/** The latest events of one thread in shared memory: a ring that this thread writes, and of which another one reads what is new. */
export class Timeline {
  readonly buffer: SharedArrayBuffer;
  /** How many events were written so far. */
  readonly #written: Int32Array;
  readonly #slots: Float64Array;
  /** The number of the event that is read next. */
  #next = 0;
  /** Events that were overwritten before they were read. */
  lost = 0;

  constructor(buffer = sharedMemory(HEADER_BYTES + 8 * WORDS * CAPACITY)) {
    this.buffer = buffer;
    this.#written = new Int32Array(buffer, 0, 1);
    this.#slots = new Float64Array(buffer, HEADER_BYTES);
  }

  wakes(atNs: Nanos): void {
    this.#write(0, atNs, atNs, 0);
  }

  sleeps(atNs: Nanos): void {
    this.#write(1, atNs, atNs, 0);
  }

  /** Had a processor from start to end, and used `cpuNs` of it. */
  ran(startNs: Nanos, endNs: Nanos, cpuNs: Nanos): void {
    this.#write(2, startNs, endNs, cpuNs);
  }

  /** Everything that is new. */
  *read(): Generator<CpuEvent> {
    for (const written = Atomics.load(this.#written, 0); this.#next < written; this.#next++) {
      const event = this.#event(this.#next);
      if (event) yield event;
      else this.lost += 1;
    }
  }

  /** The event of this number, if it is among the latest. */
  #event(number: number): CpuEvent | undefined {
    const slot = (number % CAPACITY) * WORDS;
    const kind = kinds[this.#slots[slot]!]!;
    const [startNs, endNs, cpuNs] = [this.#slots[slot + 1]!, this.#slots[slot + 2]!, this.#slots[slot + 3]!];
    // Read afterwards: by then the writer may have come round again, and be one event further than it says.
    if (number <= Atomics.load(this.#written, 0) - CAPACITY) return undefined;
    return kind === 'ran' ? { kind, startNs, endNs, cpuNs } : { kind, atNs: startNs };
  }

  #write(kind: number, startNs: Nanos, endNs: Nanos, cpuNs: Nanos): void {
    const written = this.#written[0]!;
    const slot = (written % CAPACITY) * WORDS;
    this.#slots[slot] = kind;
    this.#slots[slot + 1] = startNs;
    this.#slots[slot + 2] = endNs;
    this.#slots[slot + 3] = cpuNs;
    Atomics.store(this.#written, 0, written + 1);
  }
}
