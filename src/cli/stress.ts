import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { Failure, reasonOf } from '../platform/failure.ts';
import { shown, UsageError } from '../platform/problem.ts';
import { examine } from '../run/doctor.ts';
import { scenarioFile } from '../scenario/scenario-file.ts';
import { parseSetting, type Setting } from '../scenario/settings.ts';
import { breakings, type LevelResult, stress } from '../study/stress/stress.ts';
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
import { type WorldName, worldNames } from '../worlds/worlds.ts';
import { fileLines } from './run.ts';
import { settingsOf } from './settings-of.ts';

interface Options {
  readonly out: string;
  readonly world: WorldName;
  readonly runs?: string;
  readonly seed?: string;
  readonly set: readonly Setting[];
  readonly only: readonly Setting[];
  readonly fallback?: 'cooperative';
  readonly quiet?: boolean;
}

/** `switchover stress FILE --out DIR`: raises an intensity until a threshold is missed, and says where. */
export function stressCommand(exit: (code: number) => void): Command {
  return new Command('stress')
    .description('raise an intensity until a threshold is missed; exit code 3 if one is')
    .argument(
      '<file>',
      'scenario (YAML) with a stress: { ramp, thresholds }, or the name of one',
      scenarioFile,
    )
    .requiredOption('--out <folder>', 'where records and verdicts go; new or empty')
    .addOption(new Option('--world <name>', 'where to carry it out').choices(worldNames).default('virtual'))
    .option('--runs <n>', 'repetitions of every level')
    .option('--seed <n>', 'seed of the first repetition; each further one adds 1')
    .option('--set <path=value>', 'change the scenario; may be repeated', settings, [])
    .option(
      '--only <path=value>',
      'of the alternatives, those with this setting; may be repeated',
      settings,
      [],
    )
    .addOption(
      new Option('--fallback <how>', 'keep reservations so if the kernel refuses them').choices([
        'cooperative',
      ]),
    )
    .option('--quiet', 'no progress on standard error')
    .action(async (file: string, options: Options) => exit(await action(file, options)));
}

function settings(text: string, before: readonly Setting[]): readonly Setting[] {
  return [...before, parseSetting(text)];
}

async function action(file: string, options: Options): Promise<number> {
  const plan = loadStress(file, settingsOf(options), options.only);
  const { out, world, fallback } = options;
  checkWorld(plan, world);
  prepare(out);
  console.log(
    `${scenarioSummary(plan.levels[0]!.experiment)}\n  stress     ${rampOf(plan)}: ${levelsOf(plan)}\n`,
  );
  const text = readFileSync(file, 'utf8');
  write(join(out, 'design.json'), {
    schema: 'switchover.stress/1',
    name: plan.name,
    world,
    text,
    command: commandOf(file, options),
  });
  if (world !== 'virtual') write(join(out, 'machine.json'), await examine());
  const records = fileLines(join(out, 'records.ndjson'));
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
  try {
    writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
  } catch (cause) {
    throw new Failure(`cannot write ${file}: ${reasonOf(cause)}`);
  }
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
function commandOf(file: string, { world, runs, seed, set, only, fallback, out }: Options): string {
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
