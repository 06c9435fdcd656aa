import type { MigrationRecord } from '../core/migration/record.ts';
import { reasonOf } from '../platform/failure.ts';
import { LineFile } from '../platform/line-file.ts';
import { run } from '../run/run.ts';
import { experimentOf, scenarioOf } from '../scenario/scenario.ts';
import type { WorldName } from '../worlds/world-names.ts';
import type { Progress } from './migration-schemas.ts';
import { ProgressOfSteps } from './progress.ts';

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
  /** `settings` tell its cell from the others. */
  | { readonly kind: 'record'; readonly record: MigrationRecord; readonly settings: string }
  | ExperimentEnd;

export interface ExperimentEnd {
  readonly kind: 'ended';
  readonly how: 'completed' | 'cancelled' | 'failed';
  readonly why: string | null;
}

class Cancelled extends Error {
  override readonly message = 'cancelled';
}

/** One experiment from its beginning to its end, of which news tells in any case. */
export async function carryOut(
  experiment: ExperimentData,
  tell: (news: ExperimentNews) => void,
): Promise<void> {
  try {
    await writeRecords(experiment, tell);
    tell({ kind: 'ended', how: 'completed', why: null });
  } catch (cause) {
    const how = cause instanceof Cancelled ? 'cancelled' : 'failed';
    tell({ kind: 'ended', how, why: reasonOf(cause) });
  }
}

function written(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A record is told of when it is in the file. @throws Failure it cannot be written. @throws Cancelled */
async function writeRecords(
  { document, name, world, file, cancelled }: ExperimentData,
  tell: (news: ExperimentNews) => void,
): Promise<void> {
  const word = new Int32Array(cancelled);
  const look = () => {
    if (Atomics.load(word, 0) !== 0) throw new Cancelled();
  };
  const records = new LineFile(file);
  try {
    await run(experimentOf(scenarioOf(document, { name })), {
      world,
      ensembles: false,
      listener: {
        starts({ cell }) {
          look();
          // It would be told when all of the fleet is computed.
          if (world === 'virtual' && cell.share) return undefined;
          const progress = new ProgressOfSteps();
          return (step, seen) => {
            look();
            // In virtual time a migration is over before anybody could look.
            if (progress.see(step, seen) && world !== 'virtual')
              tell({ kind: 'progress', progress: progress.shown });
          };
        },
        ended(record, _, { cell }) {
          records.append(`${JSON.stringify(record)}\n`);
          const settings = cell.settings.map(({ path, value }) => `${path}: ${written(value)}`).join(', ');
          tell({ kind: 'record', record, settings });
        },
      },
    });
  } finally {
    records.close();
  }
}
