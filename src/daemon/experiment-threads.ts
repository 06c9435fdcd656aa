import { Worker } from 'node:worker_threads';
import { entry } from '../platform/entry.ts';
import { reasonOf } from '../platform/failure.ts';
import { usedFiles } from '../platform/used-files.ts';
import { unsentQuestions } from '../transport/unsent/unsent-thread.ts';
import type { WorldName } from '../worlds/world-names.ts';
import type { ExperimentData, ExperimentEnd, ExperimentNews } from './experiment-run.ts';
import type { ThreadData } from './experiment-worker.ts';

/** A thread that does not notice that it was cancelled is ended. */
const CANCEL_GRACE_MS = 5_000;
/** So long a thread without work waits for the next. */
const IDLE_MS = 10_000;

/** An experiment that is being carried out. */
interface Carried {
  /** When no more news comes. */
  readonly ended: Promise<void>;
  cancel(): void;
}

/**
 * The threads of experiments, one for each that runs. To load the program takes longer than most experiments in virtual
 * time, so their threads are used again. What is measured gets a new one, with nobody's leavings.
 */
export class ExperimentThreads {
  readonly #graceMs: number;
  readonly #idleMs: number;
  /** Each with what will end it. */
  readonly #idle = new Map<Thread, NodeJS.Timeout>();

  constructor({ graceMs = CANCEL_GRACE_MS, idleMs = IDLE_MS } = {}) {
    this.#graceMs = graceMs;
    this.#idleMs = idleMs;
  }

  /** @param hear told everything; the last is that it has ended, however it did */
  carryOut(experiment: Omit<ExperimentData, 'cancelled'>, hear: (news: ExperimentNews) => void): Carried {
    const { world } = experiment;
    // One thread asks the kernel for all experiments, and not one for each, which would leave something behind.
    if (world !== 'virtual') unsentQuestions();
    const thread = (world === 'virtual' ? this.#woken() : undefined) ?? new Thread(world);
    const cancelled = new SharedArrayBuffer(4);
    let grace: NodeJS.Timeout | undefined;
    const ended = thread.carryOut({ ...experiment, cancelled }, hear).then((how) => {
      clearTimeout(grace);
      if (world === 'virtual' && how !== 'failed') this.#rest(thread);
      else thread.end();
    });
    return {
      ended,
      cancel: () => {
        Atomics.store(new Int32Array(cancelled), 0, 1);
        grace ??= setTimeout(() => thread.end(), this.#graceMs);
      },
    };
  }

  /** One that has rested; none that is ending, which would take an experiment with it. */
  #woken(): Thread | undefined {
    for (const [thread, tired] of this.#idle) {
      clearTimeout(tired);
      this.#idle.delete(thread);
      if (!thread.isOver) return thread;
    }
    return undefined;
  }

  /** It waits for another experiment, but not for long. One that had to be ended is of no use to another. */
  #rest(thread: Thread): void {
    if (thread.isOver) return;
    const tired = setTimeout(() => {
      this.#idle.delete(thread);
      thread.end();
    }, this.#idleMs);
    this.#idle.set(thread, tired.unref());
  }
}

/** Carries out one experiment at a time; the process does not wait for it while it has none. */
class Thread {
  readonly #worker: Worker;
  #hear: (news: ExperimentNews) => void = () => {};
  #isOver = false;

  constructor(world: WorldName) {
    this.#worker = new Worker(entry('daemon/experiment-worker'), {
      workerData: { world, use: usedFiles() } satisfies ThreadData,
      resourceLimits: { maxOldGenerationSizeMb: 1024 },
    });
    this.#worker.on('message', (news: ExperimentNews) => this.#hear(news));
    this.#worker.on('error', (error) => this.#hear({ kind: 'ended', how: 'failed', why: reasonOf(error) }));
    this.#worker.on('exit', () => {
      // Unless it was ended here, nobody has wished it.
      const [how, why] = this.#isOver
        ? (['cancelled', 'cancelled'] as const)
        : (['failed', 'its thread has ended'] as const);
      this.#hear({ kind: 'ended', how, why });
      this.#isOver = true;
    });
  }

  /** Whether it carries out nothing any more: it is ending, or has ended. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** @returns how it has ended */
  carryOut(experiment: ExperimentData, hear: (news: ExperimentNews) => void): Promise<ExperimentEnd['how']> {
    this.#worker.ref();
    return new Promise((resolve) => {
      this.#hear = (news) => {
        if (news.kind === 'ended') {
          this.#hear = () => {};
          this.#worker.unref();
        }
        hear(news);
        if (news.kind === 'ended') resolve(news.how);
      };
      this.#worker.postMessage(experiment);
    });
  }

  end(): void {
    this.#isOver = true;
    void this.#worker.terminate();
  }
}
