import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { usageError } from '../platform/problem.ts';
import { tell } from '../platform/tell.ts';
import { writeText } from '../platform/text-file.ts';
import { examine } from '../run/doctor.ts';
import { scenarioFile } from '../scenario/scenario-file.ts';
import type { Setting } from '../scenario/settings.ts';
import { type LevelResult, stress } from '../study/stress/stress.ts';
import { stressFileOf, stressLines } from '../study/stress/stress-file.ts';
import { checkWorld, loadStress } from '../study/stress/stress-plan.ts';
import { alternativeName, changedIn, levelName, rampOf, stressTable } from '../study/stress/stress-table.ts';
import { isMissed } from '../study/stress/threshold.ts';
import { settingsAsFlags, wholeCommandOf } from '../study/sweep/command.ts';
import { insistOnFolder } from '../study/sweep/folder.ts';
import { scenarioSummary } from '../study/tables/scenario-summary.ts';
import type { Exit } from './exit.ts';
import { lineOutput, writeRecord } from './line-output.ts';
import { machineOf } from './machine-option.ts';
import {
  addScenarioOptions,
  fallbackOption,
  type ScenarioOptions,
  SEED_OF_FIRST,
  settingOption,
  settingsOf,
} from './scenario-options.ts';
import { print } from './standard-streams.ts';

interface Options extends ScenarioOptions {
  readonly out: string;
  readonly only?: readonly Setting[];
  readonly fallback?: 'cooperative';
}

/** `switchover stress FILE --out DIR`: raises an intensity until a threshold is missed, and says where. */
export function stressCommand(command: Command, exit: Exit): void {
  command
    .argument(
      '<file>',
      'scenario (YAML) with stress: { ramp, thresholds }, or the name of a bundled one',
      scenarioFile,
    )
    .requiredOption('--out <folder>', 'new or empty folder for the records and verdicts');
  const only = 'run only the alternatives with this setting; may be repeated';
  addScenarioOptions(command, { runs: 'how often to repeat each step', seed: SEED_OF_FIRST })
    .addOption(settingOption('--only <path=value>', only))
    .addOption(fallbackOption())
    .option('--quiet', 'no progress on standard error')
    .action(async (file: string, options: Options) => exit(await action(file, options)));
}

async function action(file: string, options: Options): Promise<number> {
  const { out, world, fallback, only = [] } = options;
  const set = settingsOf(options);
  const machine = machineOf(options, world);
  const plan = loadStress(file, set, only, machine);
  checkWorld(plan, world);
  insistOnFolder(out);
  if (readdirSync(out).length > 0) throw usageError('--out', 'a new or empty folder', out);
  const levels = plan.levels.map((_, level) => levelName(plan, level)).join(' → ');
  print(`${scenarioSummary(plan.levels[0]!.experiment)}\n  stress     ${rampOf(plan)}: ${levels}\n`);
  const leave = (name: string, content: unknown) =>
    writeText(join(out, name), `${JSON.stringify(content, null, 2)}\n`);
  const more = [...settingsAsFlags(only, '--only'), ...(fallback ? [`--fallback ${fallback}`] : [])];
  leave('design.json', {
    schema: 'switchover.stress/1',
    name: plan.name,
    world,
    text: plan.text,
    command: wholeCommandOf('stress', { file, world, set, machine, more }),
  });
  if (world !== 'virtual') leave('machine.json', await examine());
  const records = lineOutput(join(out, 'records.ndjson'));
  const judged = ({ level, alternative, verdict }: LevelResult) => {
    if (options.quiet) return;
    const where = `${rampOf(plan)} = ${levelName(plan, level)}, ${alternativeName(alternative)}`;
    tell(`${where}: ${verdict}\n`);
  };
  try {
    const results = await stress(
      plan,
      { world, fallback },
      { ended: (record, cell) => writeRecord(records, { ...record, cell }), judged },
    );
    const found = stressFileOf(plan, results);
    leave('stress.json', found);
    print([stressTable(plan, results), ...stressLines(found)].join('\n'));
    if (changedIn(results) > 0) return 1;
    return results.some(({ verdict }) => isMissed(verdict)) ? 3 : 0;
  } finally {
    records.close();
  }
}
