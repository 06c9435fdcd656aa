import { idleLink } from '../core/link/account.ts';
import { type Ceiling, onClock, revokedWhy } from '../core/link/ceiling.ts';
import type { LinkRecord } from '../core/migration/migration-result.ts';
import type { Bytes, Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import type { Arguments, Result } from '../platform/thread-calls.ts';
import { WorkerThread } from '../platform/worker-thread.ts';
import type { ScheduledThreadData } from '../sched/scheduled-thread.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import { Allowance } from './allowance.ts';
import type { Sender } from './sender.ts';
import type { SenderMethods, SenderWorkerData } from './serve-sender.ts';
import { UnsentBytes } from './unsent/unsent-bytes.ts';
import { unsentQuestions } from './unsent/unsent-thread.ts';

/** A link while something is sent over it. */
export interface LinkStatus extends Pick<LinkRecord, 'depthBytes' | 'sentBytes' | 'reservedBytesPerSecond'> {
  /** Tokens in the bucket; null without a reservation. */
  readonly levelBytes: Bytes | null;
}

/** The sender in a thread of its own; one request at a time, but for those that overtake. */
export class SenderThread<S extends Sender = Sender> {
  readonly #thread: WorkerThread<SenderMethods>;
  readonly #allowance = new Allowance();
  readonly #unsent: UnsentBytes;
  /** On the host's clock. */
  #ceilings: readonly Ceiling[] = [];
  #link: LinkRecord;

  /**
   * @param program the thread's, by the way in which the guest's pages are to be had
   * @param thread by which it is scheduled
   * @param memory what else the program is told: where the pages are
   */
  constructor(
    program: string,
    { guest, plan, cpu }: Pick<MigrationSpec, 'guest' | 'plan' | 'cpu'>,
    thread: ScheduledThreadData,
    memory: object,
  ) {
    const { pages, pageSizeBytes } = guest;
    const { depthBytes } = plan;
    const { cpuPerPageNs, cpuPerHandoverNs } = cpu;
    this.#link = idleLink(depthBytes);
    const questions = unsentQuestions();
    this.#unsent = new UnsentBytes(questions);
    const data: SenderWorkerData = {
      ...{ pages, pageSizeBytes, depthBytes, cpuPerPageNs, cpuPerHandoverNs, thread },
      allowance: this.#allowance.buffer,
      unsent: { memory: questions, slot: this.#unsent.slot },
    };
    this.#thread = new WorkerThread('sender', program, { ...data, ...memory });
  }

  /** What the link allows; instants count from now. */
  allow(ceilings: readonly Ceiling[]): void {
    this.#ceilings = onClock(ceilings, clockNs());
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

  /** Calls a method of the sender. @returns what it returned, and when. @throws Failure the sender could not, and why. */
  ask<K extends keyof S & string>(
    method: K,
    ...args: Arguments<S[K]>
  ): Promise<{ result: Result<S[K]>; atNs: Nanos }> {
    return this.#carryOut(method, args);
  }

  /** The link now, while something else is being carried out. @throws Failure the thread has ended */
  async linkStatus(): Promise<LinkStatus> {
    const { result: levelBytes } = await this.#carryOut<Bytes | null>('levelBytes', []);
    const { sentBytes, depthBytes, reservedBytesPerSecond } = this.#link;
    return { levelBytes, depthBytes, sentBytes, reservedBytesPerSecond };
  }

  async end(): Promise<void> {
    await this.#thread.end();
    this.#unsent.release();
  }

  async #carryOut<R>(method: string, args: readonly unknown[]): Promise<{ result: R; atNs: Nanos }> {
    const { link, atNs, ...outcome } = await this.#thread.call('carryOut', method, args);
    this.#link = link;
    if (!outcome.ok) throw new Failure(outcome.why);
    return { result: outcome.result as R, atNs };
  }
}
