import { Worker } from 'node:worker_threads';
import { idleLink } from '../core/link/account.ts';
import { type Ceiling, revokedWhy } from '../core/link/ceiling.ts';
import type { LinkRecord } from '../core/migration/migration-result.ts';
import type { Bytes, Nanos } from '../core/units.ts';
import { HEADER_BYTES } from '../core/wire/frames.ts';
import { clockNs } from '../platform/clock.ts';
import { entry } from '../platform/entry.ts';
import { Failure } from '../platform/failure.ts';
import { Allowance } from './allowance.ts';
import type { SenderAnswer, SenderRequests, SenderResults } from './sender-requests.ts';
import type { SenderWorkerData } from './sender-worker-data.ts';

/** A link while something is sent over it. */
export interface LinkStatus extends Pick<LinkRecord, 'depthBytes' | 'sentBytes' | 'reservedBytesPerSecond'> {
  /** Tokens in the bucket; null without a reservation. */
  readonly levelBytes: Bytes | null;
}

type SenderData = Omit<SenderWorkerData, 'allowance'>;

interface Waiting {
  resolve(answer: SenderAnswer): void;
  reject(why: Error): void;
}

/** The sender in a thread of its own; one request at a time, but for those that overtake. */
export class SenderThread<
  Requests extends SenderRequests = SenderRequests,
  Results extends SenderResults & Record<keyof Requests, unknown> = SenderResults &
    Record<keyof Requests, unknown>,
> {
  readonly #worker: Worker;
  readonly #allowance = new Allowance();
  /** On the host's clock. */
  #ceilings: readonly Ceiling[] = [];
  readonly #waiting = new Map<number, Waiting>();
  #requests = 0;
  #died: Error | undefined;
  #link: LinkRecord;

  /**
   * @param program the thread's, by the way in which the guest's pages are to be had
   * @param data for it, without the `allowance`, which is added
   * @throws Failure the bucket does not even hold a page
   */
  constructor(program: string, data: SenderData) {
    const frameBytes = HEADER_BYTES + data.pageSizeBytes;
    if (data.depthBytes < frameBytes) {
      throw new Failure(
        `link.depth is ${data.depthBytes} bytes, but a page with its header needs ${frameBytes}`,
      );
    }
    this.#link = idleLink(data.depthBytes);
    this.#worker = new Worker(entry(program), {
      workerData: { ...data, allowance: this.#allowance.buffer },
    });
    this.#worker.on('message', (answer: SenderAnswer) => {
      this.#waiting.get(answer.number)?.resolve(answer);
      this.#waiting.delete(answer.number);
    });
    this.#worker.on('error', (error) => this.#die(error));
    this.#worker.on('exit', () => this.#die(new Failure('the sender thread has ended')));
  }

  /** What the link allows; instants count from now. */
  allow(ceilings: readonly Ceiling[]): void {
    const now = clockNs();
    this.#ceilings = ceilings.map((one) => ({ ...one, fromNs: one.fromNs + now }));
    this.#allowance.write(this.#ceilings);
  }

  /** Why the link allows nothing more, if it does not. */
  get revokedWhy(): string | undefined {
    return revokedWhy(this.#ceilings, clockNs());
  }

  /** What the link carried, as of the last answer. */
  get link(): LinkRecord {
    return this.#link;
  }

  /** @throws Failure the sender could not, and why. */
  async ask<K extends keyof Requests & keyof Results>(
    kind: K,
    request: Requests[K],
  ): Promise<{ result: Results[K]; atNs: Nanos }> {
    if (this.#died) throw this.#died;
    const answer = await new Promise<SenderAnswer>((resolve, reject) => {
      const number = ++this.#requests;
      this.#waiting.set(number, { resolve, reject });
      this.#worker.postMessage({ number, kind, ...request });
    });
    this.#link = answer.link;
    if (!answer.ok) throw new Failure(answer.why);
    return { result: answer.result as Results[K], atNs: answer.atNs };
  }

  /** The link now, while something else is being carried out. @throws Failure the thread has ended */
  async linkStatus(): Promise<LinkStatus> {
    const { result } = await this.ask('level', {} as Requests['level']);
    const levelBytes = result as SenderResults['level'];
    const { sentBytes, depthBytes, reservedBytesPerSecond } = this.#link;
    return { levelBytes, depthBytes, sentBytes, reservedBytesPerSecond };
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
