import { type Command, Option } from 'commander';
import type { PredictedMachine } from '../core/machine-costs.ts';
import { usageError } from '../platform/problem.ts';
import { predictedMachine } from '../scenario/machine-profile.ts';
import { machineProfileFile } from '../scenario/scenario-file.ts';
import type { WorldName } from '../worlds/world-names.ts';

/** What virtual time and the model add to what they compute. */
export interface MachineOptions {
  readonly machine?: string;
  readonly costsOf?: PredictedMachine['world'];
}

export function addMachineOptions(command: Command): Command {
  return command
    .option(
      '--machine <file>',
      'add the costs of a machine to virtual time and the model: a profile written by doctor --profile, or the name of a bundled one, such as typical',
    )
    .addOption(
      new Option(
        '--costs-of <world>',
        'with --machine, whose costs (default: those of --world, or threads)',
      ).choices(['threads', 'vm']),
    );
}

/**
 * The machine that is predicted, if one is named.
 * @throws Failure its profile cannot be read @throws UsageError what is wrong with it
 */
export function machineOf(
  { machine, costsOf }: MachineOptions,
  world: WorldName = 'virtual',
): PredictedMachine | undefined {
  if (machine === undefined) {
    if (costsOf !== undefined)
      throw usageError('--costs-of', 'to be used together with --machine FILE', costsOf);
    return undefined;
  }
  if (world === 'qemu-native') {
    throw usageError('--machine', 'another world, because QEMU’s own hand-over is not predicted', world);
  }
  return predictedMachine(machineProfileFile(machine), costsOf ?? (world === 'virtual' ? 'threads' : world));
}
