import { Worker } from 'node:worker_threads';
import { idleLink } from '../../core/link/account.ts';
import type { Limit } from '../../core/link/ceiling.ts';
import type { LinkRecord } from '../../core/migration/course.ts';
import type { Nanos } from '../../core/units.ts';
import { entry } from '../entry.ts';
import { Failure } from '../failure.ts';
import { Allowance } from '../transfer/allowance.ts';
import type {
  SenderAnswer,
  SenderRequest,
  SenderRequests,
  SenderResults,
  SenderWorkerData,
} from './sender-worker.ts';

/** The sender in a thread of its own; one request at a time. */
export class SenderThread {
  readonly #worker: Worker;
  readonly #allowance = new Allowance();
  #waiting: { resolve: (answer: SenderAnswer) => void; reject: (why: Error) => void } | undefined;
  #died: Error | undefined;
  #link: LinkRecord;

  constructor(data: Omit<SenderWorkerData, 'allowance'>) {
    this.#link = idleLink(data.depthBytes);
    this.#worker = new Worker(entry('worlds/threads/sender-worker'), {
      workerData: { ...data, allowance: this.#allowance.buffer } satisfies SenderWorkerData,
    });
    this.#worker.on('message', (answer: SenderAnswer) => {
      this.#waiting?.resolve(answer);
      this.#waiting = undefined;
    });
    this.#worker.on('error', (error) => this.#die(error));
    this.#worker.on('exit', () => this.#die(new Failure('the sender thread has ended')));
  }

  /** What the link allows from now on; instants on the host's clock. */
  allow(limits: readonly Limit[]): void {
    this.#allowance.write(limits);
  }

  /** What the link carried, as of the last answer. */
  get link(): LinkRecord {
    return this.#link;
  }

  /** @throws Failure the sender could not, and why. */
  async ask<K extends keyof SenderRequests>(
    kind: K,
    request: SenderRequests[K],
  ): Promise<{ result: SenderResults[K]; atNs: Nanos }> {
    if (this.#died) throw this.#died;
    const answer = await new Promise<SenderAnswer>((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#worker.postMessage({ kind, ...request } as SenderRequest);
    });
    this.#link = answer.link;
    if (!answer.ok) throw new Failure(answer.why);
    return { result: answer.result as SenderResults[K], atNs: answer.atNs };
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #die(error: Error): void {
    this.#died ??= error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }
}
