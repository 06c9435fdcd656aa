import type { Nanos } from '../units.ts';

/** The unfinished jobs of one entity, first come, first served. */
export class Jobs {
  /** Unfinished work and instant of arrival; those before the first are done. */
  readonly #works: Nanos[] = [];
  readonly #arrivals: Nanos[] = [];
  #first = 0;
  #pendingNs: Nanos = 0;

  get isEmpty(): boolean {
    return this.#first === this.#works.length;
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
    this.#works.push(workNs);
    this.#arrivals.push(now);
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
    this.#first += 1;
    if (this.isEmpty) this.clear();
    else if (2 * this.#first > this.#works.length) this.#forget(this.#first);
  }

  clear(): void {
    this.#forget(this.#works.length);
    this.#pendingNs = 0;
  }

  #forget(count: number): void {
    for (const row of [this.#works, this.#arrivals]) row.copyWithin(0, count).length -= count;
    this.#first = 0;
  }
}
