import { setTimeout as sleep } from 'node:timers/promises';
import { NANOS_PER_MILLISECOND } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';

/**
 * One question on behalf of all who ask it. It is put again only some time after it was put before, however often it is
 * asked; and nobody is given an answer that is older than the asking.
 */
export class SharedAnswer<T> {
  readonly #ask: () => Promise<T>;
  readonly #everyNs: number;
  #next: Promise<T> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #askedAtNs = Number.NEGATIVE_INFINITY;

  constructor(ask: () => Promise<T>, everyMs: number) {
    this.#ask = ask;
    this.#everyNs = everyMs * NANOS_PER_MILLISECOND;
  }

  get(): Promise<T> {
    this.#next ??= this.#put();
    return this.#next;
  }

  async #put(): Promise<T> {
    await this.#last;
    const restNs = this.#askedAtNs + this.#everyNs - clockNs();
    if (restNs > 0) await sleep(restNs / NANOS_PER_MILLISECOND);
    this.#next = undefined;
    this.#askedAtNs = clockNs();
    const answer = this.#ask();
    this.#last = answer.catch(() => {});
    return answer;
  }
}
