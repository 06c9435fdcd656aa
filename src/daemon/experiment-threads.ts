import { Worker } from 'node:worker_threads';
import { entry } from '../worlds/entry.ts';
import { reasonOf } from '../worlds/failure.ts';
import type { WorldName } from '../worlds/worlds.ts';
import type { ExperimentData, ExperimentNews } from './experiment-course.ts';
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
  readonly #idle = new Set<Thread>();

  /** @param hear told everything; the last is that it has ended, however it did */
  carryOut(experiment: Omit<ExperimentData, 'cancelled'>, hear: (news: ExperimentNews) => void): Carried {
    const { world } = experiment;
    const [idle] = world === 'virtual' ? this.#idle : [];
    if (idle) this.#idle.delete(idle);
    const thread = idle ?? new Thread(world, () => this.#idle.delete(thread));
    const cancelled = new SharedArrayBuffer(4);
    let grace: NodeJS.Timeout | undefined;
    const ended = thread.carryOut({ ...experiment, cancelled }, hear).then((how) => {
      clearTimeout(grace);
      if (world === 'virtual' && how !== 'failed') this.#idle.add(thread);
      else thread.end();
    });
    return {
      ended,
      cancel() {
        Atomics.store(new Int32Array(cancelled), 0, 1);
        grace ??= setTimeout(() => thread.end(), CANCEL_GRACE_MS);
      },
    };
  }
}

/** Carries out one experiment at a time. */
class Thread {
  readonly #worker: Worker;
  #hear: (news: ExperimentNews) => void = () => {};
  #tired: NodeJS.Timeout | undefined;

  /** @param gone called when it has ended */
  constructor(world: WorldName, gone: () => void) {
    this.#worker = new Worker(entry('daemon/experiment-worker'), {
      workerData: { world } satisfies ThreadData,
      resourceLimits: { maxOldGenerationSizeMb: 1024 },
    });
    this.#worker.on('message', (news: ExperimentNews) => this.#hear(news));
    this.#worker.on('error', (error) => this.#hear({ kind: 'ended', how: 'failed', why: reasonOf(error) }));
    this.#worker.on('exit', () => {
      clearTimeout(this.#tired);
      this.#hear({ kind: 'ended', how: 'cancelled' });
      gone();
    });
  }

  /** @returns how it has ended */
  carryOut(
    experiment: ExperimentData,
    hear: (news: ExperimentNews) => void,
  ): Promise<(ExperimentNews & { kind: 'ended' })['how']> {
    clearTimeout(this.#tired);
    this.#worker.ref();
    return new Promise((resolve) => {
      this.#hear = (news) => {
        if (news.kind === 'ended') this.#rest();
        hear(news);
        if (news.kind === 'ended') resolve(news.how);
      };
      this.#worker.postMessage(experiment);
    });
  }

  end(): void {
    void this.#worker.terminate();
  }

  /** It waits for another experiment, but not for long, and nobody waits for it. */
  #rest(): void {
    this.#hear = () => {};
    this.#worker.unref();
    this.#tired = setTimeout(() => this.end(), IDLE_MS).unref();
  }
}
