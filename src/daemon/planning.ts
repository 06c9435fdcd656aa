import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../platform/failure.ts';
import { usedFiles } from '../platform/used-files.ts';
import { WorkerThread } from '../platform/worker-thread.ts';
import type { PlanAnswer } from '../study/plan/answer.ts';
import type { PlanProblem } from '../study/plan/plan-problem.ts';
import { NotAdmitted } from './admission.ts';
import type { PlanningMethods } from './planning-worker.ts';
import { TargetOutOfReach } from './target-out-of-reach.ts';

/**
 * A search ends after some CPU time, and its certificate and its cuts soon after: a minute or two by the clock, and on a busy
 * machine some more. What takes longer never ends.
 */
const PLANNED_WITHIN_MS = 600_000;

/**
 * Plans for targets. Each has a thread of its own, which starts others for the migrations in virtual time and ends with
 * them: whoever does not want it any more ends the thread.
 */
export class Planning {
  /** How to end each, by the id of who asked. */
  readonly #ends = new Map<string, (why: Error) => void>();

  /**
   * @param id by which it can be cancelled
   * @throws Failure it was cancelled
   * @throws TargetOutOfReach it takes too long @throws NotAdmitted the daemon is about to end
   */
  async plan(id: string, problem: PlanProblem, seed: number): Promise<PlanAnswer> {
    const thread = new WorkerThread<PlanningMethods>('planning', 'daemon/planning-worker', usedFiles());
    const timer = new AbortController();
    const late = sleep(PLANNED_WITHIN_MS, undefined, { signal: timer.signal, ref: false }).then(() => {
      throw new TargetOutOfReach({
        reason: `no plan was found within ${PLANNED_WITHIN_MS / 1e3} s`,
        bound: null,
      });
    });
    const ended = new Promise<never>((_, reject) => this.#ends.set(id, reject));
    try {
      return await Promise.race([thread.call('plan', problem, seed), late, ended]);
    } finally {
      timer.abort();
      this.#ends.delete(id);
      await thread.end();
    }
  }

  /** Nobody waits for it any more. */
  cancel(id: string): void {
    this.#ends.get(id)?.(new Failure('planning was cancelled, because whoever asked for it has gone'));
  }

  /** The daemon is about to end. */
  end(): void {
    for (const end of this.#ends.values()) end(new NotAdmitted('draining', 'this daemon is about to end'));
  }
}
