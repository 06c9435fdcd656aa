import type { Nanos } from '../units.ts';

/** The unfinished jobs of one entity, first come, first served: a ring of numbers that grows when it must. */
export class Jobs {
  /** Unfinished work and instant of arrival; the number of slots is a power of two. */
  #works = new Float64Array(2);
  #arrivals = new Float64Array(2);
  #first = 0;
  #count = 0;
  #pendingNs: Nanos = 0;

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  /** The unfinished work of all jobs. */
  get pendingNs(): Nanos {
    return this.#pendingNs;
  }

  /** The unfinished work of the first job. */
  get firstWorkNs(): Nanos {
    return this.#works[this.#first]!;
  }

  /** When the first job arrived. */
  get firstArrivalNs(): Nanos {
    return this.#arrivals[this.#first]!;
  }

  add(workNs: Nanos, now: Nanos): void {
    if (this.#count === this.#works.length) {
      this.#works = this.#doubled(this.#works);
      this.#arrivals = this.#doubled(this.#arrivals);
      this.#first = 0;
    }
    const slot = (this.#first + this.#count) & (this.#works.length - 1);
    this.#works[slot] = workNs;
    this.#arrivals[slot] = now;
    this.#count += 1;
    this.#pendingNs += workNs;
  }

  /** So much of the first job has been done. */
  work(ranNs: Nanos): void {
    this.#works[this.#first]! -= ranNs;
    this.#pendingNs -= ranNs;
  }

  /** The first job is done; what rounding left of it is forgotten. */
  finishFirst(): void {
    this.#pendingNs -= this.firstWorkNs;
    this.#first = (this.#first + 1) & (this.#works.length - 1);
    this.#count -= 1;
    if (this.#count === 0) this.#pendingNs = 0;
  }

  clear(): void {
    this.#count = 0;
    this.#pendingNs = 0;
  }

  #doubled(ring: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
    const row = new Float64Array(2 * ring.length);
    row.set(ring.subarray(this.#first));
    row.set(ring.subarray(0, this.#first), ring.length - this.#first);
    return row;
  }
}
