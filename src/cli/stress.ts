import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { usageError } from '../platform/problem.ts';
import { writeText } from '../platform/text-file.ts';
import { examine } from '../run/doctor.ts';
import { scenarioFile } from '../scenario/scenario-file.ts';
import type { Setting } from '../scenario/settings.ts';
import { type StressListener, stress } from '../study/stress/stress.ts';
import { stressFileOf, stressLines } from '../study/stress/stress-file.ts';
import { checkWorld, loadStress } from '../study/stress/stress-plan.ts';
import { alternativeName, changedIn, levelName, rampOf, stressTable } from '../study/stress/stress-table.ts';
import { isMissed } from '../study/stress/threshold.ts';
import { runCommandOf, settingsAsFlags, wholeCommandOf } from '../study/sweep/command.ts';
import { insistOnFolder } from '../study/sweep/folder.ts';
import { folded } from '../study/tables/folded.ts';
import { scenarioSummary } from '../study/tables/scenario-summary.ts';
import type { Exit } from './exit.ts';
import { interruptible } from './interruptible.ts';
import { writeJson } from './json-output.ts';
import { lineOutput, writeRecord } from './line-output.ts';
import { machineOf } from './machine-option.ts';
import { jsonOption, quietOption, wideOption, widthOf } from './output-options.ts';
import { ProgressLine } from './progress-line.ts';
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
    .addOption(jsonOption())
    .addOption(wideOption())
    .addOption(quietOption())
    .addHelpText('after', '\nCtrl-C ends it; what was judged until then is in the folder.')
    .action(async (file: string, options: Options) =>
      exit(await interruptible((interrupted) => action(file, options, interrupted))),
    );
}

async function action(file: string, options: Options, interrupted: AbortSignal): Promise<number> {
  const { out, world, fallback, only = [] } = options;
  const set = settingsOf(options);
  const machine = machineOf(options, world);
  const plan = loadStress(file, set, only, machine);
  checkWorld(plan, world);
  insistOnFolder(out);
  if (readdirSync(out).length > 0) throw usageError('--out', 'a new or empty folder', out);
  const width = widthOf(options);
  const levels = plan.levels.map((_, level) => levelName(plan, level)).join(' → ');
  const summary = `${scenarioSummary(plan.levels[0]!.experiment)}\n  stress     ${rampOf(plan)}: ${levels}\n`;
  if (options.json !== '-') print(folded(summary, width));
  const leave = (name: string, content: unknown) =>
    writeText(join(out, name), `${JSON.stringify(content, null, 2)}\n`);
  const call = { file, world, set, machine };
  const more = fallback ? [`--fallback ${fallback}`] : [];
  leave('design.json', {
    schema: 'switchover.stress/1',
    name: plan.name,
    world,
    text: plan.scenario.text,
    command: wholeCommandOf('stress', { ...call, more: [...settingsAsFlags(only, '--only'), ...more] }),
  });
  if (world !== 'virtual') leave('machine.json', await examine());
  const records = lineOutput(join(out, 'records.ndjson'));
  const progress = new ProgressLine(options.quiet);
  const listener: StressListener = {
    ended(record, { recorded, settings, seed }) {
      const command = `${runCommandOf({ ...call, more }, plan.scenario, settings)} --seed ${seed}`;
      writeRecord(records, { ...record, cell: { ...recorded, command } });
      progress.advance();
    },
    judged: ({ level, alternative, verdict }) =>
      progress.note(
        `${rampOf(plan)} = ${levelName(plan, level)}, ${alternativeName(alternative)}: ${verdict}`,
      ),
  };
  try {
    progress.begin(
      plan.levels.reduce((sum, { experiment }) => sum + experiment.cells.length * experiment.runs, 0),
    );
    const results = await stress(plan, { world, fallback, interrupted }, listener);
    progress.end();
    const found = stressFileOf(plan, results);
    leave('stress.json', found);
    if (writeJson(options.json, () => found)) {
      const lines =
        results.length === 0
          ? [`Interrupted before the end of the first level: no level was judged. What ran is in ${out}.`]
          : [stressTable(plan, results, width), ...stressLines(found)];
      print(folded(lines.join('\n'), width));
    }
    if (changedIn(results) > 0) return 1;
    return results.some(({ verdict }) => isMissed(verdict)) ? 3 : 0;
  } finally {
    progress.end();
    records.close();
  }
}
