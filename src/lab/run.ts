import type { CpuPlan } from '../core/cpu/cpu-plan.ts';
import { type Labels, type MigrationRecord, migrationRecord } from '../core/migration/record.ts';
import { Refusal } from '../worlds/failure.ts';
import type { DestinationThere } from '../worlds/transfer/connect.ts';
import type { World, WorldSetup } from '../worlds/world.ts';
import { type WorldFactory, type WorldName, worldFactory } from '../worlds/worlds.ts';
import { drive, type Witnessed } from './drive.ts';
import { type Ensemble, virtualEnsemble } from './ensemble.ts';
import { predictedOf } from './foresee.ts';
import { type StopChart, stopChart } from './report/stop-chart.ts';
import { type Experiment, type Scenario, seeded } from './scenario.ts';
import type { Cell } from './settings.ts';
import type { TraceLine } from './trace.ts';

export interface RunOptions {
  readonly world: WorldName;
  readonly to?: DestinationThere | undefined;
  /** The folder where the source keeps journals of its migrations (world threads); without it, none. */
  readonly journals?: string | undefined;
  /** How to keep reservations that the kernel refuses. */
  readonly fallback?: 'cooperative' | undefined;
  /** Whether to say beforehand what a measured cell comes to in virtual time, which takes 200 runs of it. */
  readonly ensemble?: boolean;
  readonly listener?: RunListener;
}

/** Told what happens while it happens. */
export interface RunListener {
  starts?(run: { readonly cell: Cell; readonly run: number; readonly seed: number }): void;
  witnessed?: Witnessed;
  traced?(line: TraceLine): void;
  /** The record; and, drawn if asked for at once, who had a processor around the stop. */
  ended?(record: MigrationRecord, chart: () => StopChart | undefined): void;
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
  const { listener = {}, ensemble = options.world !== 'virtual' } = options;
  const results = experiment.cells.map(({ cell, scenario }) => ({
    cell,
    scenario,
    foreseen: predictedOf(seeded(scenario, experiment.seed)),
    ensemble: ensemble ? virtualEnsemble(scenario, experiment.seed) : undefined,
    records: [] as MigrationRecord[],
  }));
  const factory = await worldFactory(options.world, options);
  try {
    for (let repetition = 0; repetition < experiment.runs; repetition++) {
      for (const result of results) {
        const seed = experiment.seed + repetition;
        listener.starts?.({ cell: result.cell, run: repetition + 1, seed });
        result.records.push(await migration(experiment.name, result, seed, options, factory));
      }
    }
  } finally {
    await factory.close();
  }
  return results;
}

function reservationsOf({ reclaim: _, ...reservations }: CpuPlan): Labels['reservations'] {
  return reservations;
}

async function migration(
  name: string,
  { scenario, foreseen }: CellResult,
  seed: number,
  { world: worldName, fallback, listener = {} }: RunOptions,
  factory: WorldFactory,
): Promise<MigrationRecord> {
  const { world, setup, notes } = await admitted(seeded(scenario, seed), factory, fallback);
  try {
    listener.traced?.({ plan: setup.plan });
    let stoppedAtNs = 0;
    let resumedAtNs = 0;
    const course = await drive(setup.plan, world, (step, seen) => {
      if (step.kind === 'stop') stoppedAtNs = seen.now;
      if (seen.kind === 'handed over') resumedAtNs = seen.runningAtNs;
      listener.witnessed?.(step, seen);
      listener.traced?.({ step, seen });
    });
    listener.traced?.({ course });
    const { pages, pageSizeBytes } = setup.guest;
    const record = migrationRecord(
      {
        world: worldName,
        scenario: name,
        seed,
        startedAt: world.startedAt,
        guest: { name: setup.guest.name, pages, pageSizeBytes },
        plan: setup.plan,
        reservations: reservationsOf(setup.cpu),
        predicted: foreseen,
      },
      { ...course, notes: [...notes, ...course.notes] },
    );
    listener.ended?.(record, () =>
      resumedAtNs > stoppedAtNs
        ? stopChart(world.slices(), { stoppedAtNs, resumedAtNs }, `${name}, seed ${seed}`)
        : undefined,
    );
    return record;
  } finally {
    await world.close();
  }
}

/**
 * The world, once all reservations are made. If the kernel refuses them they are kept cooperatively, where that is
 * asked for, and the record says so.
 * @throws Refusal a reservation cannot be had
 */
async function admitted(
  setup: WorldSetup,
  factory: WorldFactory,
  fallback: RunOptions['fallback'],
): Promise<{ world: World; setup: WorldSetup; notes: readonly string[] }> {
  try {
    return { world: await factory.create(setup), setup, notes: [] };
  } catch (cause) {
    if (!(cause instanceof Refusal) || !fallback || setup.cpu.scheduler !== 'deadline') throw cause;
    const instead = { ...setup, cpu: { ...setup.cpu, scheduler: 'cbs-hard' as const, reclaim: false } };
    const note = `kept cooperatively, not by the kernel as asked for: ${cause.message}`;
    return { world: await factory.create(instead), setup: instead, notes: [note] };
  }
}
