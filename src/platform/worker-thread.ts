import { parentPort, Worker } from 'node:worker_threads';
import { entry } from './entry.ts';
import { Failure, reasonOf } from './failure.ts';

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

/** Lets the thread that started this one call these methods. What they take and return is cloned. */
export function serve(methods: object): void {
  const byName = methods as Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
  parentPort!.on('message', async ({ number, method, args }: Call) => {
    let answer: Answer;
    try {
      answer = { number, ok: true, result: await byName[method]!(...args) };
    } catch (cause) {
      answer = { number, ok: false, why: reasonOf(cause) };
    }
    parentPort!.postMessage(answer);
  });
}

/** A thread whose program serves `Methods`. */
export class WorkerThread<Methods extends object> {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve(answer: Answer): void; reject(why: Error): void }>();
  #calls = 0;
  #died: Error | undefined;

  /** @param name for errors. @param program see `entry`. @param data its `workerData` */
  constructor(name: string, program: string, data: unknown) {
    this.#worker = new Worker(entry(program), { workerData: data });
    this.#worker.on('message', (answer: Answer) => {
      this.#waiting.get(answer.number)?.resolve(answer);
      this.#waiting.delete(answer.number);
    });
    this.#worker.on('error', (error) => this.#die(error));
    this.#worker.on('exit', () => this.#die(new Failure(`the ${name} thread has ended`)));
  }

  /** @throws Failure the method has failed, or the thread has ended. */
  async call<K extends keyof Methods & string>(
    method: K,
    ...args: Arguments<Methods[K]>
  ): Promise<Result<Methods[K]>> {
    if (this.#died) throw this.#died;
    const answer = await new Promise<Answer>((resolve, reject) => {
      const number = ++this.#calls;
      this.#waiting.set(number, { resolve, reject });
      this.#worker.postMessage({ number, method, args } satisfies Call);
    });
    if (!answer.ok) throw new Failure(answer.why);
    return answer.result as Result<Methods[K]>;
  }

  /** A call whose outcome does not matter. */
  tell<K extends keyof Methods & string>(method: K, ...args: Arguments<Methods[K]>): void {
    this.call(method, ...args).catch(() => {});
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #die(error: Error): void {
    this.#died ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
