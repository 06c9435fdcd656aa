import { appendFileSync } from 'node:fs';
import { run } from '../lab/run.ts';
import { experimentOf, scenarioOf } from '../lab/scenario.ts';
import { reasonOf } from '../worlds/failure.ts';
import type { ExperimentData, ExperimentNews } from './experiment-worker.ts';
import { ProgressOfSteps } from './progress.ts';

class Cancelled extends Error {}

/** One experiment from its beginning to its end, of which news tells in any case. */
export async function carryOut(
  { document, name, world, file, cancelled }: ExperimentData,
  tell: (news: ExperimentNews) => void,
): Promise<void> {
  const word = new Int32Array(cancelled);
  const look = () => {
    if (Atomics.load(word, 0) !== 0) throw new Cancelled();
  };
  try {
    await run(experimentOf(scenarioOf(document, { name })), {
      world,
      ensembles: false,
      listener: {
        starts() {
          look();
          const progress = new ProgressOfSteps();
          return (step, seen) => {
            look();
            // In virtual time a migration is over before anybody could look.
            if (progress.see(step, seen) && world !== 'virtual')
              tell({ kind: 'progress', progress: progress.shown });
          };
        },
        ended(record) {
          appendFileSync(file, `${JSON.stringify(record)}\n`);
          tell({ kind: 'record', record });
        },
      },
    });
    tell({ kind: 'ended', how: 'completed' });
  } catch (cause) {
    tell(
      cause instanceof Cancelled
        ? { kind: 'ended', how: 'cancelled' }
        : { kind: 'ended', how: 'failed', why: reasonOf(cause) },
    );
  }
}
