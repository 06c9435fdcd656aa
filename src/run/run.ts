import { setImmediate } from 'node:timers/promises';
import type { MigrationRecord, RunMetadata } from '../core/migration/record.ts';
import { type Experiment, type ScenarioCell, seeded } from '../scenario/scenario.ts';
import { type FactoryOptions, worldFactory } from '../worlds/worlds.ts';
import { type CarryOutOptions, carryOut, insistOnRoom } from './carry-out.ts';
import type { StepListener } from './drive.ts';
import { type Ensemble, virtualEnsemble } from './ensemble.ts';
import { environmentOf } from './environment.ts';
import { type MigrationRun, recordOf } from './migration-run.ts';
import { predictedOf } from './predict.ts';

export interface RunOptions extends CarryOutOptions, FactoryOptions {
  /** Whether to run measured cells in virtual time too, which takes up to two seconds per cell. */
  readonly ensembles?: boolean;
  readonly listener?: RunListener;
  /** So many runs of each cell go before those that count. Nobody is told of them. 0 without. */
  readonly warmUps?: number;
  /**
   * Asked of each cell after each of its runs: whether it need not be repeated further. Cells that share a link are
   * repeated together. Without it, each is repeated as often as the experiment says, which otherwise is the most.
   */
  readonly isEnough?: (records: readonly MigrationRecord[]) => boolean;
}

/** Told what happens while it happens. */
export interface RunListener {
  /** @returns a listener for the steps of this migration */
  starts?(run: {
    readonly cell: ScenarioCell;
    readonly run: number;
    readonly seed: number;
  }): StepListener | undefined;
  /** The record, and its migration, whose world is still open during the call. */
  ended?(record: MigrationRecord, run: MigrationRun, of: RunOfCell): void;
}

/** Which run it was. */
export interface RunOfCell {
  readonly cell: ScenarioCell;
  /** From 0. */
  readonly repetition: number;
  /** Which of the migrations that share a link it was, from 0. */
  readonly member: number;
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
  const { warmUps = 0, isEnough } = options;
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
      environment: environmentOf(cell),
      ensemble: ensembles ? virtualEnsemble(cell, firstSeed) : undefined,
      records: [] as MigrationRecord[],
    }));
    let open = fleetsOf(results);
    for (let repetition = -warmUps; repetition < experiment.runs && open.length > 0; repetition++) {
      const isCounted = repetition >= 0;
      for (const fleet of open) {
        // Virtual time waits for nothing, and signals are only heard between two turns of the event loop.
        if (interrupted && world === 'virtual') await setImmediate();
        if (interrupted?.aborted) return results;
        const members = fleet.map(({ cell }, member) => {
          const seed = firstSeed + Math.max(0, repetition) * fleet.length + member;
          const stepped = isCounted ? listener.starts?.({ cell, run: repetition + 1, seed }) : undefined;
          return { spec: seeded(cell, seed), share: cell.share, stepped };
        });
        await carryOut(members, factory, options, (member, run) => {
          if (!isCounted) return;
          const { cell, predicted, environment, records } = fleet[member]!;
          const record = recordOf(run, { world, scenario: name, predicted, environment });
          records.push(record);
          listener.ended?.(record, run, { cell, repetition, member });
        });
      }
      if (isCounted && isEnough)
        open = open.filter((fleet) => !fleet.every(({ records }) => isEnough(records)));
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
