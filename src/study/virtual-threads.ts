import { Piscina } from 'piscina';
import { entry } from '../platform/entry.ts';
import { Failure } from '../platform/failure.ts';
import { processorLimit } from '../platform/machine-limits.ts';

/** Threads that carry out migrations in virtual time, as many as there are processors. */
export class VirtualThreads<Task, Result> {
  readonly #pool: Piscina<Task, Result>;

  /** @param program see `entry`. @param data its `workerData` */
  constructor(program: string, data: object) {
    const threads = Math.ceil(processorLimit().time);
    this.#pool = new Piscina({
      filename: entry(program).href,
      minThreads: threads,
      maxThreads: threads,
      workerData: data,
    });
    // Whoever waits for a task of a thread that dies is told. Nobody waits for one that dies after that.
    this.#pool.on('error', () => {});
  }

  get count(): number {
    return this.#pool.maxThreads;
  }

  /** @throws Failure a thread of them has not the memory for it */
  run(task: Task): Promise<Result> {
    return this.#pool.run(task).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ERR_WORKER_OUT_OF_MEMORY') throw cause;
      throw new Failure(
        'a migration in virtual time needs more memory than a thread has (node --max-old-space-size gives more)',
      );
    });
  }

  async end(): Promise<void> {
    await this.#pool.destroy();
  }
}
