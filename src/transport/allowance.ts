import type { Limit } from '../core/link/ceiling.ts';

/** Ceilings that can be said at once. */
const ROOM = 8;
const HEADER_BYTES = 8;
const VALUES = 3;

/**
 * The ceilings of a link in shared memory: whoever keeps the link's ledger writes them, the pacer, in another thread,
 * reads them before every send. So a ceiling in the future, such as the end of a lease, is kept by the pacer
 * even if the thread that should renew it does not run.
 *
 * One writer. While it writes the version is odd, and readers try again.
 */
export class Allowance {
  readonly buffer: SharedArrayBuffer;
  readonly #version: Int32Array;
  readonly #values: Float64Array;
  #readVersion = 0;
  #read: readonly Limit[] = [];

  constructor(buffer = new SharedArrayBuffer(HEADER_BYTES + ROOM * VALUES * 8)) {
    this.buffer = buffer;
    this.#version = new Int32Array(buffer, 0, 2);
    this.#values = new Float64Array(buffer, HEADER_BYTES);
  }

  /** @throws RangeError more than there is room for */
  write(ceilings: readonly Limit[]): void {
    if (ceilings.length > ROOM) throw new RangeError(`${ceilings.length} ceilings; the limit is ${ROOM}`);
    Atomics.add(this.#version, 0, 1);
    this.#version[1] = ceilings.length;
    for (const [index, { fromNs, rateBytesPerSecond, isOutage }] of ceilings.entries()) {
      this.#values.set([fromNs, rateBytesPerSecond, isOutage ? 1 : 0], VALUES * index);
    }
    Atomics.add(this.#version, 0, 1);
  }

  read(): readonly Limit[] {
    for (;;) {
      const before = Atomics.load(this.#version, 0);
      if (before === this.#readVersion) return this.#read;
      if (before % 2 !== 0) continue;
      const read = Array.from({ length: this.#version[1]! }, (_, index) => ({
        fromNs: this.#values[VALUES * index]!,
        rateBytesPerSecond: this.#values[VALUES * index + 1]!,
        isOutage: this.#values[VALUES * index + 2] === 1,
      }));
      if (Atomics.load(this.#version, 0) !== before) continue;
      this.#readVersion = before;
      this.#read = read;
    }
  }
}
