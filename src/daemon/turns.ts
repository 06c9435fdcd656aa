/** Too many wait already: whoever comes later may be taken again. */
export class TooMany extends Error {}

/** So many go at once, and so many wait for their turn; whoever comes then is turned away. */
export class Turns {
  readonly #what: string;
  readonly #atOnce: number;
  readonly #most: number;
  readonly #waiting: (() => void)[] = [];
  #going = 0;

  /** @param what is to be done, for whoever is turned away. @param waiting how many wait at most */
  constructor(what: string, { atOnce, waiting }: { readonly atOnce: number; readonly waiting: number }) {
    this.#what = what;
    this.#atOnce = atOnce;
    this.#most = waiting;
  }

  /** @throws TooMany */
  async take<T>(act: () => Promise<T>): Promise<T> {
    if (this.#going >= this.#atOnce) {
      if (this.#waiting.length >= this.#most) throw new TooMany(`${this.#most} ${this.#what} wait already`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#going += 1;
    try {
      return await act();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#going -= 1;
    }
  }
}
