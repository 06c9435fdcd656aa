import { type Command, Option } from 'commander';
import { usageError } from '../platform/problem.ts';
import { parseSetting, type Setting } from '../scenario/settings.ts';
import { type WorldName, worldNames } from '../worlds/world-names.ts';
import { addMachineOptions, type MachineOptions } from './machine-option.ts';
import type { OutputOptions } from './output-options.ts';

/** What the commands that carry out a scenario take alike. */
export interface ScenarioOptions extends MachineOptions, OutputOptions {
  readonly world: WorldName;
  readonly runs?: string;
  readonly seed?: string;
  readonly set?: readonly Setting[];
}

/** @param meaning what --runs and --seed are to this command */
export function addScenarioOptions(
  command: Command,
  meaning: { readonly runs: string; readonly seed: string },
): Command {
  command
    .addOption(
      new Option(
        '--world <name>',
        "computed in virtual time, on real threads, in QEMU, or with QEMU's own migration",
      )
        .choices(worldNames)
        .default('virtual'),
    )
    .option('--runs <n>', meaning.runs)
    .option('--seed <n>', meaning.seed)
    .addOption(setOption());
  return addMachineOptions(command);
}

export const SEED_OF_FIRST = 'random seed of the first repetition; each further repetition adds 1';

export function setOption(): Option {
  return settingOption(
    '--set <path=value>',
    'override a setting of the scenario, such as link.rate=1Gbit/s; may be repeated',
  );
}

/** An option that may be repeated, a setting each time. */
export function settingOption(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text, before: readonly Setting[] = []) => [
    ...before,
    parseSetting(text),
  ]);
}

export function fallbackOption(): Option {
  const description = 'if the kernel refuses a reservation, let switchover schedule the threads instead';
  return new Option('--fallback <how>', description).choices(['cooperative']);
}

/** What the flags of a command change in a scenario. @throws UsageError a count that is none. */
export function settingsOf({
  set = [],
  runs,
  seed,
}: Pick<ScenarioOptions, 'set' | 'runs' | 'seed'>): readonly Setting[] {
  return [
    ...set,
    ...(runs === undefined ? [] : [{ path: 'runs', value: whole('--runs', runs) }]),
    ...(seed === undefined ? [] : [{ path: 'seed', value: whole('--seed', seed) }]),
  ];
}

/** @throws UsageError not a number that is written and read alike */
export function whole(flag: string, text: string): number {
  if (/^\d+$/.test(text) && Number.isSafeInteger(Number(text))) return Number(text);
  throw usageError(flag, `a whole number from 0 to ${Number.MAX_SAFE_INTEGER}`, text);
}
