import { setImmediate as turn } from 'node:timers/promises';
import type { FrameType } from '../../core/wire/frames.ts';
import { Failure } from '../failure.ts';

/** A destination that says nothing for so long, although it is its turn, is given up. */
const SILENCE_MS = 30_000;

/** A control frame from the destination. */
export interface Reply {
  readonly argument: number;
  readonly payload: Buffer;
}

/** What the destination has answered and nobody has read yet; and, once there is one, why there will be no more. */
export class Replies {
  readonly #unread: Reply[] = [];
  #failure: Error | undefined;
  #wake: () => void = () => {};

  add(reply: Reply): void {
    this.#unread.push(reply);
    this.#wake();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  /** @throws Failure there will be no more. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /**
   * The next one; the state table has already made sure that it is of this type.
   * @param asleep how to wait for what may take long
   */
  async next(type: FrameType, asleep: (spoken: Promise<void>) => Promise<void>): Promise<Reply> {
    await turn();
    if (this.#unread.length === 0 && !this.#failure) {
      const spoken = new Promise<void>((resolve) => {
        const silence = setTimeout(() => {
          this.fail(new Failure(`the destination was silent for ${SILENCE_MS / 1000} s; expected '${type}'`));
        }, SILENCE_MS);
        this.#wake = () => {
          clearTimeout(silence);
          resolve();
        };
      });
      await asleep(spoken);
      this.#wake = () => {};
    }
    const reply = this.#unread.shift();
    if (reply) return reply;
    throw this.#failure!;
  }
}
