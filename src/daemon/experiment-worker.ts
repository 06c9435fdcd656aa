import { parentPort, workerData } from 'node:worker_threads';
import { setNice } from '../platform/thread-scheduling.ts';
import type { UsedFile } from '../platform/used-files.ts';
import type { WorldName } from '../worlds/world-names.ts';
import type { ExperimentData } from './experiment-run.ts';

/** A thread that carries out one experiment after another, so that the one which answers requests stays free. */
export interface ThreadData {
  /** Of all its experiments. */
  readonly world: WorldName;
  /** What the daemon was told to use. */
  readonly use: readonly UsedFile[];
}

/**
 * What is only computed has time: the thread that answers requests, and whatever is measured, goes first, where the
 * system lets it. So it is said before the program is loaded, which is half a second's work by itself.
 */
const COMPUTED_NICE = 10;
const { world, use } = workerData as ThreadData;
if (world === 'virtual') setNice(COMPUTED_NICE);

const { useAgain } = await import('../platform/used-files.ts');
await useAgain(use);
const { carryOut } = await import('./experiment-run.ts');
parentPort!.on('message', (experiment: ExperimentData) =>
  carryOut(experiment, (news) => parentPort!.postMessage(news)),
);
