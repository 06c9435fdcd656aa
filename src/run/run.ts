import type { MigrationRecord, RunMetadata } from '../core/migration/record.ts';
import { type Experiment, type ScenarioCell, seeded } from '../scenario/scenario.ts';
import { type FactoryOptions, worldFactory } from '../worlds/worlds.ts';
import { type CarryOutOptions, carryOut, insistOnRoom } from './carry-out.ts';
import type { StepListener } from './drive.ts';
import { type Ensemble, virtualEnsemble } from './ensemble.ts';
import { type MigrationRun, recordOf } from './migration-run.ts';
import { predictedOf } from './predict.ts';

export interface RunOptions extends CarryOutOptions, FactoryOptions {
  /** Whether to run measured cells in virtual time too, which takes up to two seconds per cell. */
  readonly ensembles?: boolean;
  readonly listener?: RunListener;
}

/** Told what happens while it happens. */
export interface RunListener {
  /** @returns a listener for the steps of this migration, in a world in real time */
  starts?(run: {
    readonly cell: ScenarioCell;
    readonly run: number;
    readonly seed: number;
  }): StepListener | undefined;
  /** The record, and its migration, whose world is still open during the call. */
  ended?(record: MigrationRecord, run: MigrationRun): void;
}

/** All records of one cell, and what the model and the virtual world said of it beforehand. */
export interface CellResult {
  readonly cell: ScenarioCell;
  readonly predicted: RunMetadata['predicted'];
  /** The results of a measured cell in virtual time. */
  readonly ensemble: Ensemble | undefined;
  readonly records: readonly MigrationRecord[];
}

/**
 * Runs every cell of an experiment as often as it says. Repetition r has the same seed in every cell, so cells
 * are compared under common random numbers; and all cells run before any is repeated, so that a slow drift of
 * the machine does not favour one. Of guests that share a link each has a seed of its own.
 * @throws Failure the world cannot be set up, or a destination refused
 */
export async function run(experiment: Experiment, options: RunOptions): Promise<readonly CellResult[]> {
  const { name, seed: firstSeed } = experiment;
  const { world, listener = {}, ensembles = world !== 'virtual', interrupted } = options;
  const factory = await worldFactory(world, options);
  try {
    // Before anything is computed: guests that this host has no memory for are refused at once.
    for (const fleet of fleetsOf(experiment.cells.map((cell) => ({ cell })))) {
      insistOnRoom(
        fleet.map(({ cell }) => cell.guest),
        factory,
      );
    }
    const results = experiment.cells.map((cell) => ({
      cell,
      predicted: predictedOf(cell),
      ensemble: ensembles ? virtualEnsemble(cell, firstSeed) : undefined,
      records: [] as MigrationRecord[],
    }));
    for (let repetition = 0; repetition < experiment.runs; repetition++) {
      for (const fleet of fleetsOf(results)) {
        if (interrupted?.aborted) return results;
        const members = fleet.map(({ cell }, member) => {
          const seed = firstSeed + repetition * fleet.length + member;
          const stepped = listener.starts?.({ cell, run: repetition + 1, seed });
          return { spec: seeded(cell, seed), share: cell.share, stepped };
        });
        await carryOut(members, factory, options, (member, run) => {
          const { predicted, records } = fleet[member]!;
          const record = recordOf(run, { world, scenario: name, predicted });
          records.push(record);
          listener.ended?.(record, run);
        });
      }
    }
    return results;
  } finally {
    await factory.close();
  }
}

/** Neighbours that run together. */
function fleetsOf<Result extends Pick<CellResult, 'cell'>>(results: readonly Result[]): Result[][] {
  const fleets: Result[][] = [];
  for (const result of results) {
    const last = fleets.at(-1);
    if (last?.[0]?.cell.fleet === result.cell.fleet) last.push(result);
    else fleets.push([result]);
  }
  return fleets;
}
