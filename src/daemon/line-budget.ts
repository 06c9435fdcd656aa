/** Lines that others can cause: only so many a second, and then how many more there were. */
export class LineBudget {
  readonly #most: number;
  readonly #omittedSome: (omitted: number) => void;
  #used = 0;

  /** @param omittedSome told once a second, if there were more than `most` */
  constructor(most: number, omittedSome: (omitted: number) => void) {
    this.#most = most;
    this.#omittedSome = omittedSome;
  }

  take(): boolean {
    if (this.#used === 0) setTimeout(() => this.#renew(), 1_000).unref();
    this.#used++;
    return this.#used <= this.#most;
  }

  #renew(): void {
    const omitted = this.#used - this.#most;
    this.#used = 0;
    if (omitted > 0) this.#omittedSome(omitted);
  }
}
