import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { Failure, reasonOf } from '../platform/failure.ts';
import { shown, UsageError } from '../platform/problem.ts';
import { writeText } from '../platform/text-file.ts';
import { examine } from '../run/doctor.ts';
import { scenarioFile } from '../scenario/scenario-file.ts';
import type { Setting } from '../scenario/settings.ts';
import { breakings } from '../study/stress/breaking.ts';
import { type LevelResult, stress } from '../study/stress/stress.ts';
import { checkWorld, loadStress, type StressPlan } from '../study/stress/stress-plan.ts';
import {
  alternativeName,
  breakingLines,
  levelName,
  rampOf,
  stressTable,
} from '../study/stress/stress-table.ts';
import { usedAsFlags } from '../study/sweep/command.ts';
import { scenarioSummary } from '../study/tables/scenario-summary.ts';
import { lineOutput } from './line-output.ts';
import {
  addScenarioOptions,
  fallbackOption,
  type ScenarioOptions,
  SEED_OF_FIRST,
  settingOption,
  settingsOf,
} from './scenario-options.ts';

interface Options extends ScenarioOptions {
  readonly out: string;
  readonly only?: readonly Setting[];
  readonly fallback?: 'cooperative';
}

/** `switchover stress FILE --out DIR`: raises an intensity until a threshold is missed, and says where. */
export function stressCommand(exit: (code: number) => void): Command {
  const command = new Command('stress')
    .description('raise a load step by step until a limit is missed; exit code 3 if one is missed')
    .argument(
      '<file>',
      'scenario (YAML) with stress: { ramp, thresholds }, or the name of a bundled one',
      scenarioFile,
    )
    .requiredOption('--out <folder>', 'new or empty folder for the records and verdicts');
  const only = 'run only the alternatives with this setting; may be repeated';
  return addScenarioOptions(command, { runs: 'how often to repeat each step', seed: SEED_OF_FIRST })
    .addOption(settingOption('--only <path=value>', only))
    .addOption(fallbackOption())
    .option('--quiet', 'no progress on standard error')
    .action(async (file: string, options: Options) => exit(await action(file, options)));
}

async function action(file: string, options: Options): Promise<number> {
  const plan = loadStress(file, settingsOf(options), options.only);
  const { out, world, fallback } = options;
  checkWorld(plan, world);
  prepare(out);
  console.log(
    `${scenarioSummary(plan.levels[0]!.experiment)}\n  stress     ${rampOf(plan)}: ${levelsOf(plan)}\n`,
  );
  write(join(out, 'design.json'), {
    schema: 'switchover.stress/1',
    name: plan.name,
    world,
    text: plan.text,
    command: commandOf(file, options),
  });
  if (world !== 'virtual') write(join(out, 'machine.json'), await examine());
  const records = lineOutput(join(out, 'records.ndjson'));
  const progress = options.quiet
    ? () => {}
    : (result: LevelResult) => process.stderr.write(`${lineOf(plan, result)}\n`);
  try {
    const results = await stress(
      plan,
      { world, fallback },
      {
        ended: (record, cell) => records.write(() => JSON.stringify({ ...record, cell })),
        judged: progress,
      },
    );
    write(join(out, 'stress.json'), verdictsOf(plan, results));
    console.log([stressTable(plan, results), ...breakingLines(plan, results)].join('\n'));
    return breakings(results).some(({ firstMissed }) => firstMissed) ? 3 : 0;
  } finally {
    records.close();
  }
}

/** @throws UsageError there are results already; Failure the folder cannot be made */
function prepare(out: string): void {
  try {
    mkdirSync(out, { recursive: true });
    if (readdirSync(out).length === 0) return;
  } catch (cause) {
    throw new Failure(`cannot write ${out}: ${reasonOf(cause)}`);
  }
  throw new UsageError([{ path: '--out', expected: 'a new or empty folder', found: shown(out) }]);
}

function write(file: string, content: unknown): void {
  writeText(file, `${JSON.stringify(content, null, 2)}\n`);
}

function verdictsOf(plan: StressPlan, results: readonly LevelResult[]) {
  return {
    ramp: rampOf(plan),
    levels: plan.levels.map((_, level) => levelName(plan, level)),
    thresholds: plan.thresholds,
    results: results.map(({ level, alternative, records, judgements, verdict }) => {
      return { level, alternative: alternativeName(alternative), runs: records.length, judgements, verdict };
    }),
  };
}

function levelsOf(plan: StressPlan): string {
  return plan.levels.map((_, level) => levelName(plan, level)).join(' → ');
}

function lineOf(plan: StressPlan, { level, alternative, verdict }: LevelResult): string {
  return `${rampOf(plan)} = ${levelName(plan, level)}, ${alternativeName(alternative)}: ${verdict}`;
}

/** As a shell takes it. */
function commandOf(file: string, { world, runs, seed, set = [], only = [], fallback, out }: Options): string {
  const setting = ({ path, value }: Setting) => `'${path}=${JSON.stringify(value)}'`;
  return [
    'npx switchover stress',
    file,
    `--world ${world}`,
    ...(runs === undefined ? [] : [`--runs ${runs}`]),
    ...(seed === undefined ? [] : [`--seed ${seed}`]),
    ...set.map((each) => `--set ${setting(each)}`),
    ...only.map((each) => `--only ${setting(each)}`),
    ...(fallback === undefined ? [] : [`--fallback ${fallback}`]),
    ...usedAsFlags(),
    `--out ${out}`,
  ].join(' ');
}
