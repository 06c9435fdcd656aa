import { setImmediate } from 'node:timers/promises';
import type { Nanos } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { threadCpuNs } from '../platform/thread-clock.ts';
import type { ScheduledThread } from '../sched/scheduled-thread.ts';

/** The CPU time of a sender. */
export interface SenderCpu {
  readonly thread: ScheduledThread;
  /** The least CPU time of a page, sending included, to stand for what other senders do to a page. */
  readonly cpuPerPageNs: Nanos;
  /** The least CPU time from the stop frame to the commit. */
  readonly cpuPerHandoverNs: Nanos;
}

/** How long to wait awake: a thread that goes to sleep gives up the processor, and may wait long to get it again. */
const AWAKE_NS = 300_000;

/** The processor of a sender's thread: uses it, or gives it up while there is nothing to do but wait. */
export class SenderProcessor {
  readonly #thread: ScheduledThread;

  constructor(thread: ScheduledThread) {
    this.#thread = thread;
  }

  /** Uses CPU time until this thread has had so much of it. */
  workUntil(cpuNs: Nanos): void {
    while (threadCpuNs() < cpuNs) this.#thread.checkpoint();
  }

  async asleep<T>(waiting: Promise<T>): Promise<T> {
    this.#thread.block();
    try {
      return await waiting;
    } finally {
      this.#thread.unblock();
    }
  }

  /** Waits awake for a moment, because that is often all it takes, then asleep. */
  async awakeFirst(waiting: Promise<unknown>): Promise<void> {
    let settled = false;
    const settling = waiting.then(() => {
      settled = true;
    });
    const awakeUntilNs = clockNs() + AWAKE_NS;
    do await setImmediate();
    while (!settled && clockNs() < awakeUntilNs);
    if (!settled) await this.asleep(settling);
  }
}
