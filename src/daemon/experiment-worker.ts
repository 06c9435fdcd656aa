import { parentPort, workerData } from 'node:worker_threads';
import type { MigrationRecord } from '../core/migration/record.ts';
import { setNice } from '../worlds/cpu/scheduling.ts';
import type { WorldName } from '../worlds/worlds.ts';
import type { Progress } from './progress.ts';

/** A thread that carries out one experiment after another, so that the one which answers requests stays free. */
export interface ThreadData {
  /** Of all its experiments. */
  readonly world: WorldName;
}

/** One experiment. */
export interface ExperimentData {
  readonly document: unknown;
  readonly name: string;
  readonly world: WorldName;
  /** Where the records go, one a line. */
  readonly file: string;
  /** One word; not 0: end. */
  readonly cancelled: SharedArrayBuffer;
}

export type ExperimentNews =
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'record'; readonly record: MigrationRecord }
  | { readonly kind: 'ended'; readonly how: 'completed' | 'cancelled' }
  | { readonly kind: 'ended'; readonly how: 'failed'; readonly why: string };

/**
 * What is only computed has time: the thread that answers requests, and whatever is measured, goes first, where the
 * system lets it. So it is said before the program is loaded, which is half a second's work by itself.
 */
const COMPUTED_NICE = 10;
if ((workerData as ThreadData).world === 'virtual') setNice(COMPUTED_NICE);

const { carryOut } = await import('./experiment-course.ts');
parentPort!.on('message', (experiment: ExperimentData) =>
  carryOut(experiment, (news) => parentPort!.postMessage(news)),
);
