import { cpus } from 'node:os';
import { type MigrationRecord, migrationRecord } from '../core/migration/record.ts';
import { type FoundMachine, machinePlan } from '../scenario/machine-plan.ts';
import { type Scenario, seeded } from '../scenario/scenario.ts';
import { Interruption } from '../transport/interruption.ts';
import type { MigrationSpec } from '../workload/migration-spec.ts';
import type { QemuDestination } from '../worlds/qemu/qemu-destination.ts';
import { QemuWorld, type QemuWorldOptions } from '../worlds/qemu/qemu-world.ts';
import { SourceMachine } from '../worlds/qemu/source-machine.ts';
import { blocksOf } from '../worlds/qemu/source-stream.ts';
import { drive, type StepListener } from './drive.ts';
import { environmentOf } from './environment.ts';
import { metadataOf } from './migration-run.ts';

export interface MachineMove extends Pick<QemuWorldOptions, 'mode' | 'interruption' | 'allowance'> {
  /** The monitor of the machine. */
  readonly qmp: string;
  /** The folder where the machine's settings are written down before they are changed. */
  readonly journals?: string | undefined;
  /** What its record says of where its plan comes from. */
  readonly scenario: string;
  /** What is carried out, once the machine is known. @throws UsageError the plan is none for it */
  readonly specOf: (machine: FoundMachine) => MigrationSpec;
  /** Where it is to go. Opened once it is known that the machine can leave, and what it is called. */
  readonly destination: (name: string) => Promise<QemuDestination>;
  /** Told what the machine is, and which plan it follows. */
  readonly begins?: ((spec: MigrationSpec) => void) | undefined;
  readonly stepped?: StepListener | undefined;
}

export interface MachineMigration extends Omit<MachineMove, 'scenario' | 'specOf' | 'interruption'> {
  /** Whose plan it is to follow. */
  readonly scenario: Scenario;
  readonly interrupted?: AbortSignal;
}

/** Of a machine that is not known yet: enough to find out what is wrong with a plan before anything is touched. */
const SOME_PAGES = 2 ** 16;

/**
 * Moves a machine that somebody else has started, under the plan of a scenario.
 * @throws UsageError the plan is none for such a machine
 * @throws Refusal, Failure as `moveMachine`
 */
export async function migrateMachine({
  scenario,
  interrupted,
  ...move
}: MachineMigration): Promise<MigrationRecord> {
  const processors = cpus().length;
  const specOf = (machine: FoundMachine) => seeded(machinePlan(scenario, machine, processors), 1);
  const interruption = new Interruption();
  const cancel = () => void interruption.raise('cancelled', String(interrupted!.reason));
  if (interrupted?.aborted) cancel();
  interrupted?.addEventListener('abort', cancel);
  try {
    return await moveMachine({ ...move, scenario: scenario.name, specOf, interruption });
  } finally {
    interrupted?.removeEventListener('abort', cancel);
  }
}

/**
 * Moves a machine that somebody else has started, under a plan.
 * @throws UsageError the plan is none for any such machine; nothing has been touched
 * @throws Refusal the machine cannot be moved under a plan, or the destination does not wait for one
 * @throws Failure it did not begin; machine and settings are as before
 */
export async function moveMachine(move: MachineMove): Promise<MigrationRecord> {
  const { qmp, journals, scenario, specOf, begins, stepped, destination: opened, ...how } = move;
  const { cpu } = specOf({ name: 'machine', pages: SOME_PAGES });
  const machine = await SourceMachine.open(qmp, journals);
  let world: QemuWorld | undefined;
  try {
    const name = (await machine.name()) ?? 'machine';
    const destination = await opened(name);
    try {
      await machine.reserve(cpu);
      const last = (await blocksOf(machine)).at(-1)!;
      const spec = specOf({ name, pages: last.firstPage + last.pages });
      begins?.(spec);
      world = new QemuWorld({ machine, destination, plan: spec.plan, ...how });
      const result = await drive(spec.plan, world, stepped);
      await world.close();
      const metadata = metadataOf(spec, {
        ...{ world: 'qemu', scenario, startedAt: world.startedAt },
        ...{ admission: null, predicted: null, environment: environmentOf(spec) },
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
