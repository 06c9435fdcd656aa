import { Command, Option } from 'commander';
import { shown, UsageError } from '../platform/problem.ts';
import { scenarioFile } from '../scenario/scenario-file.ts';
import { parseSetting, type Setting } from '../scenario/settings.ts';
import { type Shard, wholeDesign } from '../study/sweep/agenda.ts';
import { loadDesign } from '../study/sweep/design.ts';
import { writeParquet } from '../study/sweep/parquet.ts';
import { sweep } from '../study/sweep/sweep.ts';
import { sweepTable } from '../study/tables/sweep-table.ts';
import { type WorldName, worldNames } from '../worlds/worlds.ts';
import { progressBar } from './progress-bar.ts';
import { settingsOf } from './settings-of.ts';

interface Options {
  readonly out: string;
  readonly world: WorldName;
  readonly set: readonly Setting[];
  readonly runs?: string;
  readonly seed?: string;
  readonly shard?: string;
  readonly json?: string;
  readonly parquet?: string;
  readonly quiet?: boolean;
}

/** `switchover sweep FILE --out DIR`: carries out a large design, a record a line; interrupted, it can go on. */
export function sweepCommand(exit: (code: number) => void): Command {
  return new Command('sweep')
    .description('carry out a design on all cores; the same command goes on after an interruption')
    .argument('<file>', 'scenario (YAML) with compare or sweep, or the name of one', scenarioFile)
    .requiredOption('--out <folder>', 'where the records go')
    .addOption(new Option('--world <name>', 'where to carry it out').choices(worldNames).default('virtual'))
    .option('--runs <n>', 'repetitions of every cell; with sweep.until, the fewest')
    .option('--seed <n>', 'seed of the design')
    .option(
      '--set <path=value>',
      'change the scenario; may be repeated',
      (text, settings: readonly Setting[]) => [...settings, parseSetting(text)],
      [] as readonly Setting[],
    )
    .option(
      '--shard <i/n>',
      'only the i-th of n parts, for arrays of machines; put into one folder they are the whole',
    )
    .option('--json <->', 'records alone on standard output, besides those in the folder')
    .option('--parquet <file>', 'all records of the folder as a table of columns')
    .option('--quiet', 'no progress on standard error')
    .action(async (file: string, options: Options) => exit(await action(file, options)));
}

async function action(file: string, options: Options): Promise<number> {
  const shard = shardOf(options.shard);
  const design = loadDesign(file, settingsOf(options), options.world);
  const bar = options.quiet || process.stderr.isTTY !== true ? undefined : progressBar();
  try {
    const result = await sweep(design, {
      folder: options.out,
      shard,
      planned: (runs, before) => {
        if (bar && !bar.isActive) bar.start(before + runs, before);
        bar?.setTotal(before + runs);
      },
      recorded: (lines, runs) => {
        bar?.increment(runs);
        if (options.json !== undefined) process.stdout.write(lines);
      },
    });
    bar?.stop();
    if (options.parquet !== undefined) writeParquet(options.parquet, options.out, design);
    if (options.json === undefined) console.log(sweepTable(design, result));
    return 0;
  } finally {
    bar?.stop();
  }
}

function shardOf(text: string | undefined): Shard {
  if (text === undefined) return wholeDesign;
  const [index, of] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).slice(1).map(Number);
  if (index !== undefined && of !== undefined && index >= 1 && index <= of) return { index, of };
  throw new UsageError([
    { path: '--shard', expected: 'i/n with i from 1 to n, such as 2/8', found: shown(text) },
  ]);
}
