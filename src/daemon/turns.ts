/** Too many wait already: whoever comes later may be taken again. */
export class TooMany extends Error {}

interface Limits {
  readonly atOnce: number;
  /** How many wait at most, in each lane and in all. */
  readonly waitingInLane: number;
  readonly waiting: number;
}

/**
 * So many go at once, and so many wait for their turn; whoever comes then is turned away. Those who wait do so in lanes, which
 * take turns: however many come in one lane, the others do not wait longer for it.
 */
export class Turns {
  readonly #limits: Limits;
  /** The lane whose turn it is comes first. None is empty. */
  readonly #lanes = new Map<string, (() => void)[]>();
  #going = 0;
  #waiting = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** @throws TooMany */
  async take<T>(lane: string, act: () => Promise<T>): Promise<T> {
    if (this.#going < this.#limits.atOnce) this.#going += 1;
    else await new Promise<void>((resolve) => this.#queue(lane, resolve));
    try {
      return await act();
    } finally {
      const next = this.#next();
      if (next) next();
      else this.#going -= 1;
    }
  }

  #queue(lane: string, resolve: () => void): void {
    const { waiting, waitingInLane } = this.#limits;
    const queue = this.#lanes.get(lane) ?? [];
    if (this.#waiting >= waiting || queue.length >= waitingInLane)
      throw new TooMany('too many such requests wait already: come again later');
    queue.push(resolve);
    this.#lanes.set(lane, queue);
    this.#waiting += 1;
  }

  #next(): (() => void) | undefined {
    for (const [lane, queue] of this.#lanes) {
      const next = queue.shift();
      this.#lanes.delete(lane);
      if (queue.length > 0) this.#lanes.set(lane, queue);
      this.#waiting -= 1;
      return next;
    }
    return undefined;
  }
}
