import { setTimeout as sleep } from 'node:timers/promises';
import type { RunMetadata } from '../core/migration/record.ts';
import { UsageError } from '../platform/problem.ts';
import type { Arguments, Result } from '../platform/thread-calls.ts';
import { usedFiles } from '../platform/used-files.ts';
import { WorkerThread } from '../platform/worker-thread.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { WorldName } from '../worlds/world-names.ts';
import { NotAdmitted } from './admission.ts';
import type { ComputingMethods, Predictable, Sized } from './computing-worker.ts';
import type { VirtualEstimate } from './virtual-estimate.ts';

/** Longer than the largest guest takes on a slow machine: what takes longer never ends. */
const COMPUTED_WITHIN_MS = 30_000;

/**
 * What has to be computed before a request is taken: in a thread of its own, since the largest guests take a second,
 * and the steps of migrations are taken in the thread that asks.
 */
export class Computing {
  #thread: WorkerThread<ComputingMethods> | undefined;

  /** What the model says of a migration. */
  predict(scenario: Predictable): Promise<RunMetadata['predicted']> {
    return this.#ask('predict', scenario);
  }

  /** The same migration in virtual time, many times. */
  estimate(spec: MigrationSpec): Promise<VirtualEstimate | null> {
    return this.#ask('estimate', spec);
  }

  /** How much an experiment asks for. @throws UsageError all that is wrong with the scenario */
  async size(scenario: Readonly<Record<string, unknown>>, name: string, world: WorldName): Promise<Sized> {
    const told = await this.#ask('size', scenario, name, world);
    if ('problems' in told) throw new UsageError(told.problems);
    return told;
  }

  async end(): Promise<void> {
    await this.#thread?.end();
  }

  async #ask<M extends keyof ComputingMethods>(
    method: M,
    ...args: Arguments<ComputingMethods[M]>
  ): Promise<Result<ComputingMethods[M]>> {
    const thread = (this.#thread ??= new WorkerThread('computing', 'daemon/computing-worker', usedFiles()));
    const timer = new AbortController();
    const late = sleep(COMPUTED_WITHIN_MS, undefined, { signal: timer.signal, ref: false }).then(() => {
      const why = `the computation for ${method} has not ended within ${COMPUTED_WITHIN_MS / 1e3} s`;
      throw new NotAdmitted('queue', why);
    });
    try {
      return await Promise.race([thread.call(method, ...args), late]);
    } catch (cause) {
      // Whatever it is at, the next request gets another.
      if (this.#thread === thread) this.#thread = undefined;
      void thread.end();
      throw cause;
    } finally {
      timer.abort();
    }
  }
}
