import { type Labels, type MigrationRecord, migrationRecord } from '../core/migration/record.ts';
import { type WorldFactory, type WorldName, worldFactory } from '../worlds/worlds.ts';
import { drive, type Witnessed } from './drive.ts';
import { type Ensemble, virtualEnsemble } from './ensemble.ts';
import { foresee } from './foresee.ts';
import { type Experiment, type Scenario, seeded } from './scenario.ts';
import type { Cell } from './settings.ts';
import type { TraceLine } from './trace.ts';

export interface RunOptions {
  readonly world: WorldName;
  readonly to?: { readonly host: string; readonly port: number } | undefined;
  readonly listener?: RunListener;
}

/** Told what happens while it happens. */
export interface RunListener {
  starts?(run: { readonly cell: Cell; readonly run: number; readonly seed: number }): void;
  witnessed?: Witnessed;
  traced?(line: TraceLine): void;
  ended?(record: MigrationRecord): void;
}

/** All records of one cell, and what the model and the virtual world said of it beforehand. */
export interface CellResult {
  readonly cell: Cell;
  readonly scenario: Scenario;
  readonly foreseen: Labels['predicted'];
  /** Of a measured cell: what it comes to in virtual time. */
  readonly ensemble: Ensemble | undefined;
  readonly records: readonly MigrationRecord[];
}

/**
 * Runs every cell of an experiment as often as it says. Repetition r has the same seed in every cell, so cells
 * are compared under common random numbers; and all cells run before any is repeated, so that a slow drift of
 * the machine does not favour one.
 * @throws Failure the world is not to be had, or a destination refused
 */
export async function run(experiment: Experiment, options: RunOptions): Promise<readonly CellResult[]> {
  const { listener = {} } = options;
  const results = experiment.cells.map(({ cell, scenario }) => ({
    cell,
    scenario,
    foreseen: foreseenBy(scenario, experiment.seed),
    ensemble: options.world === 'virtual' ? undefined : virtualEnsemble(scenario, experiment.seed),
    records: [] as MigrationRecord[],
  }));
  const factory = await worldFactory(options.world, options.to);
  try {
    for (let repetition = 0; repetition < experiment.runs; repetition++) {
      for (const result of results) {
        const seed = experiment.seed + repetition;
        listener.starts?.({ cell: result.cell, run: repetition + 1, seed });
        const record = await migration(experiment.name, result, seed, options, factory);
        result.records.push(record);
        listener.ended?.(record);
      }
    }
  } finally {
    await factory.close();
  }
  return results;
}

/** The model's figures; null where it has none: no rate, or no convergence. */
function foreseenBy(scenario: Scenario, seed: number): Labels['predicted'] {
  const { rateBytesPerSecond, stopRateBytesPerSecond } = scenario.plan;
  if (rateBytesPerSecond === null || stopRateBytesPerSecond === null) return null;
  const { downtimeNs, downtimeP99Ns, totalNs } = foresee(seeded(scenario, seed)).course;
  if (downtimeNs === null || downtimeP99Ns === null || totalNs === null) return null;
  return { downtimeNs, downtimeP99Ns, totalNs };
}

async function migration(
  name: string,
  { scenario, foreseen }: CellResult,
  seed: number,
  { world: worldName, listener = {} }: RunOptions,
  factory: WorldFactory,
): Promise<MigrationRecord> {
  const setup = seeded(scenario, seed);
  const world = await factory.create(setup);
  try {
    listener.traced?.({ plan: setup.plan });
    const course = await drive(setup.plan, world, (step, seen) => {
      listener.witnessed?.(step, seen);
      listener.traced?.({ step, seen });
    });
    listener.traced?.({ course });
    const { pages, pageSizeBytes } = setup.guest;
    return migrationRecord(
      {
        world: worldName,
        scenario: name,
        seed,
        startedAt: world.startedAt,
        guest: { name: setup.guest.name, pages, pageSizeBytes },
        plan: setup.plan,
        reservations: { guest: null, sender: null, scheduler: 'none' },
        predicted: foreseen,
      },
      course,
    );
  } finally {
    await world.close();
  }
}
