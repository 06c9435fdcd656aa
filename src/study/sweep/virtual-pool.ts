import { usedFiles } from '../../platform/used-files.ts';
import { VirtualThreads } from '../virtual-threads.ts';
import type { Design, Run } from './design.ts';
import type { Batch, SweepThread } from './sweep-worker.ts';

/** A batch takes about this long, so that passing it to a worker costs little in comparison. */
const BATCH_MS = 25;
const BATCH_RUNS_MAX = 1_000;
const BATCHES_A_WORKER = 3;

/** Threads that carry out batches of runs in virtual time, as many as there are processors. */
export class VirtualPool {
  readonly #threads: VirtualThreads<readonly Run[], Batch>;
  /** The mean time of a run, weighted towards the last batches. Until one is done, a batch is one run. */
  #msPerRun = BATCH_MS;

  constructor(design: Design) {
    const data: SweepThread = { design, use: usedFiles() };
    this.#threads = new VirtualThreads('study/sweep/sweep-worker', data);
  }

  get batchesMax(): number {
    return BATCHES_A_WORKER * this.#threads.count;
  }

  get batchRuns(): number {
    return Math.min(BATCH_RUNS_MAX, Math.max(1, Math.round(BATCH_MS / this.#msPerRun)));
  }

  async run(runs: readonly Run[]): Promise<Batch> {
    const batch = await this.#threads.run(runs);
    this.#msPerRun += (batch.tookMs / runs.length - this.#msPerRun) / 4;
    return batch;
  }

  async end(): Promise<void> {
    await this.#threads.end();
  }
}
