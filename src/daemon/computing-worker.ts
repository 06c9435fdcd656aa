import { workerData } from 'node:worker_threads';
import type { KeptReservation } from '../core/cpu/cpu-plan.ts';
import type { RunMetadata } from '../core/migration/record.ts';
import { type Problem, UsageError } from '../platform/problem.ts';
import { setNice } from '../platform/thread-scheduling.ts';
import type { UsedFile } from '../platform/used-files.ts';
import { serve } from '../platform/worker-thread.ts';
import type { predictedOf } from '../run/predict.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { WorldName } from '../worlds/world-names.ts';

import type { VirtualEstimate } from './virtual-estimate.ts';

export type Predictable = Parameters<typeof predictedOf>[0];

/** What an experiment asks for. */
export interface Sized {
  readonly describe: string;
  readonly runs: number;
  /** What it reserves of the processors at its peak. */
  readonly takes: readonly KeptReservation[];
}

export interface ComputingMethods {
  predict(scenario: Predictable): RunMetadata['predicted'];
  estimate(spec: MigrationSpec): VirtualEstimate | null;
  size(
    scenario: Readonly<Record<string, unknown>>,
    name: string,
    world: WorldName,
  ): Sized | { readonly problems: readonly Problem[] };
}

/** Guests and their migrations go first, and experiments, which nobody waits for, go last. */
setNice(5);

const { useAgain } = await import('../platform/used-files.ts');
await useAgain(workerData as readonly UsedFile[]);
const [{ bounded, peakReservations }, { predictedOf: predicted }, { virtualEstimate }] = await Promise.all([
  import('./experiment-bounds.ts'),
  import('../run/predict.ts'),
  import('./virtual-estimate.ts'),
]);

serve({
  predict: predicted,
  estimate: virtualEstimate,
  size(scenario, name, world) {
    try {
      const experiment = bounded(scenario, name, world);
      return {
        describe: experiment.describe,
        runs: experiment.cells.length * experiment.runs,
        takes: world === 'virtual' ? [] : peakReservations(experiment),
      };
    } catch (cause) {
      if (!(cause instanceof UsageError)) throw cause;
      return { problems: cause.problems };
    }
  },
} satisfies ComputingMethods);
