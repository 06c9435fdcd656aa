import { Lane } from './lane.ts';

/** Lanes for cases that run side by side: most of the time somebody waits for somebody who is silent. */
export class Lanes {
  readonly #all: readonly Lane[];
  readonly #free: Lane[];
  readonly #waiting: ((lane: Lane) => void)[] = [];

  constructor(count: number) {
    this.#all = Array.from({ length: count }, () => new Lane());
    this.#free = [...this.#all];
  }

  /** With a lane that nobody else uses meanwhile. */
  async use<T>(action: (lane: Lane) => Promise<T>): Promise<T> {
    const lane = this.#free.pop() ?? (await new Promise<Lane>((resolve) => this.#waiting.push(resolve)));
    try {
      return await action(lane);
    } catch (cause) {
      // Whatever it was left with must not spoil the next case.
      await lane.reset();
      throw cause;
    } finally {
      const next = this.#waiting.shift();
      if (next) next(lane);
      else this.#free.push(lane);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.#all.map((lane) => lane.end()));
  }
}
