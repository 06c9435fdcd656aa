import { setImmediate } from 'node:timers/promises';
import type { Nanos } from '../core/units.ts';
import type { FrameType } from '../core/wire/frames.ts';

/** A control frame from the destination. */
export interface Reply {
  readonly type: FrameType;
  readonly argument: number;
  readonly payload: Buffer;
  /** When it was heard, by the host's clock. */
  readonly atNs: Nanos;
}

/** Unread answers of the destination, and why there will be no more, once that is known. */
export class Replies {
  readonly #unread: Reply[] = [];
  readonly #failed: Promise<void>;
  #fails: () => void = () => {};
  #failure: Error | undefined;
  #wake: () => void = () => {};

  constructor() {
    this.#failed = new Promise((resolve) => {
      this.#fails = resolve;
    });
  }

  /** Resolves once there will be no more. */
  get failed(): Promise<void> {
    return this.#failed;
  }

  add(reply: Reply): void {
    this.#unread.push(reply);
    this.#wake();
  }

  fail(error: Error): void {
    this.#failure ??= error;
    this.#fails();
    this.#wake();
  }

  /** @throws Failure there will be no more. */
  check(): void {
    if (this.#failure) throw this.#failure;
  }

  /**
   * The next one; the state table has already made sure that it is the one expected.
   * @param asleep how to wait for what may take long
   */
  async next(asleep: (spoken: Promise<void>) => Promise<void>): Promise<Reply> {
    await setImmediate();
    if (this.#unread.length === 0 && !this.#failure) {
      const spoken = new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      await asleep(spoken);
      this.#wake = () => {};
    }
    const reply = this.#unread.shift();
    if (reply) return reply;
    throw this.#failure!;
  }
}
