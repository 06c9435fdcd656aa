import type { MessagePort, Worker } from 'node:worker_threads';
import { Failure, reasonOf } from './failure.ts';

/** An end of a channel between two threads. */
export type ThreadPort = MessagePort | Worker;

/** A call of a method in another thread. It is answered by its number: calls may overtake each other. */
interface Call {
  readonly number: number;
  readonly method: string;
  readonly args: readonly unknown[];
}

type Answer = { readonly number: number } & (
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly why: string }
);

export type Arguments<Method> = Method extends (...args: infer Args) => unknown ? Args : never;
export type Result<Method> = Method extends (...args: never[]) => infer Returned ? Awaited<Returned> : never;

/** Lets the thread at the other end call these methods. What they take and return is cloned. */
export function answerCalls(port: ThreadPort, methods: object): void {
  const byName = methods as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
  listen(port, async ({ number, method, args }: Call) => {
    let answer: Answer;
    try {
      answer = { number, ok: true, result: await byName[method]!(...args) };
    } catch (cause) {
      answer = { number, ok: false, why: reasonOf(cause) };
    }
    port.postMessage(answer);
  });
}

/** Calls the methods of the thread at the other end. Messages that answer no call are left to others. */
export class ThreadCalls<Methods extends object> {
  readonly #port: ThreadPort;
  readonly #waiting = new Map<number, { resolve(answer: Answer): void; reject(why: Error): void }>();
  #calls = 0;
  #ended: Error | undefined;

  constructor(port: ThreadPort) {
    this.#port = port;
    listen(port, (answer: Answer) => {
      this.#waiting.get(answer.number)?.resolve(answer);
      this.#waiting.delete(answer.number);
    });
  }

  /** @throws Failure the method has failed, or the other thread has ended */
  async call<K extends keyof Methods & string>(
    method: K,
    ...args: Arguments<Methods[K]>
  ): Promise<Result<Methods[K]>> {
    if (this.#ended) throw this.#ended;
    const answer = await new Promise<Answer>((resolve, reject) => {
      const number = ++this.#calls;
      this.#waiting.set(number, { resolve, reject });
      this.#port.postMessage({ number, method, args } satisfies Call);
    });
    if (!answer.ok) throw new Failure(answer.why);
    return answer.result as Result<Methods[K]>;
  }

  /** The other thread has ended: nothing is answered any more. */
  end(error: Error): void {
    this.#ended ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#ended);
    this.#waiting.clear();
  }
}

function listen<T>(port: ThreadPort, hear: (message: T) => void): void {
  const { on }: { on(event: 'message', hear: (message: T) => void): unknown } = port;
  on.call(port, 'message', hear);
}
