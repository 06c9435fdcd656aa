import { cpus } from 'node:os';
import { type MigrationRecord, migrationRecord } from '../core/migration/record.ts';
import { machinePlan } from '../scenario/machine-plan.ts';
import { type Scenario, seeded } from '../scenario/scenario.ts';
import type { QemuDestination } from '../worlds/qemu/qemu-destination.ts';
import { QemuWorld, type QemuWorldOptions } from '../worlds/qemu/qemu-world.ts';
import { SourceMachine } from '../worlds/qemu/source-machine.ts';
import { blocksOf } from '../worlds/qemu/source-stream.ts';
import { drive, type StepListener } from './drive.ts';
import { environmentOf } from './environment.ts';
import { metadataOf } from './migration-run.ts';

export interface MachineMigration extends Pick<QemuWorldOptions, 'mode'> {
  /** The monitor of the machine. */
  readonly qmp: string;
  /** The folder where the machine's settings are written down before they are changed. */
  readonly journals?: string | undefined;
  /** Whose plan it is to follow. */
  readonly scenario: Scenario;
  /** Where it is to go. Opened once it is known that the machine can leave. */
  readonly destination: () => Promise<QemuDestination>;
  readonly interrupted?: AbortSignal;
  /** Told what the machine is, and which plan it follows. */
  readonly begins?: (migration: ReturnType<typeof machinePlan>) => void;
  readonly stepped?: StepListener;
}

/** Of a machine that is not known yet: enough to find out what is wrong with a plan before anything is touched. */
const SOME_PAGES = 2 ** 16;

/**
 * Moves a machine that somebody else has started, under a plan.
 * @throws UsageError the plan is none for such a machine
 * @throws Refusal the machine cannot be moved under a plan, or the destination does not wait for one
 * @throws Failure it did not begin; machine and settings are as before
 */
export async function migrateMachine(migration: MachineMigration): Promise<MigrationRecord> {
  const { qmp, journals, scenario, mode, interrupted, begins, stepped } = migration;
  const processors = cpus().length;
  const { cpu } = seeded(machinePlan(scenario, { name: 'machine', pages: SOME_PAGES, processors }), 1);
  const machine = await SourceMachine.open(qmp, journals);
  let world: QemuWorld | undefined;
  try {
    const destination = await migration.destination();
    try {
      await machine.reserve(cpu);
      const last = (await blocksOf(machine)).at(-1)!;
      const name = (await machine.name()) ?? 'machine';
      const cell = machinePlan(scenario, { name, pages: last.firstPage + last.pages, processors });
      begins?.(cell);
      const spec = seeded(cell, 1);
      world = new QemuWorld({ machine, destination, plan: spec.plan, mode });
      const cancel = () => void world!.cancel(String(interrupted!.reason));
      if (interrupted?.aborted) cancel();
      interrupted?.addEventListener('abort', cancel);
      const result = await drive(spec.plan, world, stepped);
      interrupted?.removeEventListener('abort', cancel);
      await world.close();
      const about = { world: 'qemu', scenario: scenario.name, startedAt: world.startedAt };
      const metadata = metadataOf(spec, {
        ...about,
        ...{ admission: null, predicted: null, environment: environmentOf(cell) },
      });
      return migrationRecord(metadata, { ...result, notes: [...result.notes, ...world.notes] });
    } finally {
      destination.close();
    }
  } finally {
    await world?.close();
    await machine.end();
  }
}
