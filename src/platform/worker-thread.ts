import { parentPort, Worker } from 'node:worker_threads';
import { entry } from './entry.ts';
import { Failure } from './failure.ts';
import { type Arguments, answerCalls, type Result, ThreadCalls } from './thread-calls.ts';

/** Lets the thread that started this one call these methods. */
export function serve(methods: object): void {
  answerCalls(parentPort!, methods);
}

/** A thread whose program serves `Methods`. */
export class WorkerThread<Methods extends object> {
  readonly #worker: Worker;
  readonly #calls: ThreadCalls<Methods>;

  /** @param name for errors. @param program see `entry`. @param data its `workerData` */
  constructor(name: string, program: string, data: unknown) {
    this.#worker = new Worker(entry(program), { workerData: data });
    this.#calls = new ThreadCalls(this.#worker);
    this.#worker.on('error', (error) => this.#calls.end(error));
    this.#worker.on('exit', () => this.#calls.end(new Failure(`the ${name} thread has ended`)));
  }

  /** @throws Failure the method has failed, or the thread has ended. */
  call<K extends keyof Methods & string>(
    method: K,
    ...args: Arguments<Methods[K]>
  ): Promise<Result<Methods[K]>> {
    return this.#calls.call(method, ...args);
  }

  /** A call whose outcome does not matter. */
  tell<K extends keyof Methods & string>(method: K, ...args: Arguments<Methods[K]>): void {
    this.call(method, ...args).catch(() => {});
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }
}
