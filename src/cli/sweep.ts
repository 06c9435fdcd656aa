import type { Command } from 'commander';
import { usageError } from '../platform/problem.ts';
import { scenarioFile } from '../scenario/scenario-file.ts';
import { type Shard, wholeDesign } from '../study/sweep/agenda.ts';
import { loadDesign } from '../study/sweep/design.ts';
import { sweep } from '../study/sweep/sweep.ts';
import { sweepTable } from '../study/tables/sweep-table.ts';
import type { Exit } from './exit.ts';
import { machineOf } from './machine-option.ts';
import { progressBar } from './progress-bar.ts';
import { addScenarioOptions, type ScenarioOptions, settingsOf } from './scenario-options.ts';
import { print, write } from './standard-streams.ts';

interface Options extends ScenarioOptions {
  readonly out: string;
  readonly shard?: string;
  readonly json?: string;
  readonly parquet?: string;
}

/** `switchover sweep FILE --out DIR`: carries out a large design, a record a line; interrupted, it can go on. */
export function sweepCommand(command: Command, exit: Exit): void {
  command
    .argument('<file>', 'scenario (YAML) with compare or sweep, or the name of a bundled one', scenarioFile)
    .requiredOption('--out <folder>', 'folder for the records');
  addScenarioOptions(command, {
    runs: 'how often to repeat each combination of settings; with sweep.until, the minimum',
    seed: 'random seed of the experiment',
  })
    .option(
      '--shard <i/n>',
      'run only part i of n, for example on one of n machines; all parts go into one folder',
    )
    .option('--json <->', 'print the new records to standard output instead of the table; the value is -')
    .option('--parquet <file>', 'also write all records of the folder to a Parquet file')
    .option('--quiet', 'no progress on standard error')
    .action(async (file: string, options: Options) => exit(await action(file, options)));
}

async function action(file: string, options: Options): Promise<number> {
  const shard = shardOf(options.shard);
  const machine = machineOf(options, options.world);
  const design = loadDesign(file, settingsOf(options), options.world, machine);
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
        if (options.json !== undefined) write(lines);
      },
    });
    bar?.stop();
    if (options.parquet !== undefined) {
      const { writeParquet } = await import('../study/sweep/parquet.ts');
      writeParquet(options.parquet, options.out, design);
    }
    if (options.json === undefined) print(sweepTable(design, result));
    return result.changed === 0 ? 0 : 1;
  } finally {
    bar?.stop();
  }
}

function shardOf(text: string | undefined): Shard {
  if (text === undefined) return wholeDesign;
  const [index, of] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).slice(1).map(Number);
  if (index !== undefined && of !== undefined && index >= 1 && index <= of) return { index, of };
  throw usageError('--shard', 'i/n with i from 1 to n, such as 2/8', text);
}
