import type { PredictedMachine } from '../../core/machine-costs.ts';
import type { Nanos } from '../../core/units.ts';
import { usedFiles } from '../../platform/used-files.ts';
import type { Setting } from '../../scenario/settings.ts';
import { VirtualThreads } from '../virtual-threads.ts';
import type { PlanSubject } from './plan-subject.ts';
import type { Modelled, PlanResult, PlanTask, PlanThread, Trial } from './plan-worker.ts';

/** So many migrations are passed to a thread at a time, at most. */
const PIECE = 16;

/** Migrations in virtual time and answers of the model, on all processors. */
export class Trials {
  readonly #threads: VirtualThreads<PlanTask, PlanResult>;
  /** Migrations carried out so far. */
  count = 0;
  /** What they and the model have taken of the processors. */
  cpuNs: Nanos = 0;

  constructor(subject: PlanSubject, machine: PredictedMachine | undefined) {
    const data: PlanThread = { subject, machine, use: usedFiles() };
    this.#threads = new VirtualThreads('study/plan/plan-worker', data);
  }

  /** One migration a seed, in their order. */
  async run(settings: readonly Setting[], seeds: readonly number[]): Promise<readonly Trial[]> {
    this.count += seeds.length;
    const { count: threads } = this.#threads;
    const size = Math.min(PIECE, Math.max(1, Math.ceil(seeds.length / (2 * threads))));
    const pieces: Promise<PlanResult>[] = [];
    for (let from = 0; from < seeds.length; from += size) {
      pieces.push(this.#run({ settings, seeds: seeds.slice(from, from + size) }));
    }
    return (await Promise.all(pieces)).flatMap(({ trials }) => trials);
  }

  async model(settings: readonly Setting[], asked: NonNullable<PlanTask['asked']>): Promise<Modelled> {
    return (await this.#run({ settings, asked })).modelled!;
  }

  async #run(task: PlanTask): Promise<PlanResult> {
    const result = await this.#threads.run(task);
    this.cpuNs += result.cpuNs;
    return result;
  }

  async end(): Promise<void> {
    await this.#threads.end();
  }
}
