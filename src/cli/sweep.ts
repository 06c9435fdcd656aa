import type { Command } from 'commander';
import { scenarioFile } from '../scenario/scenario-file.ts';
import { loadDesign } from '../study/sweep/design.ts';
import { sweep } from '../study/sweep/sweep.ts';
import { folded } from '../study/tables/folded.ts';
import { sweepTable } from '../study/tables/sweep-table.ts';
import type { Exit } from './exit.ts';
import { interruptible } from './interruptible.ts';
import { lineOutput } from './line-output.ts';
import { machineOf } from './machine-option.ts';
import { jsonOption, quietOption, wideOption, widthOf } from './output-options.ts';
import { ProgressLine } from './progress-line.ts';
import { addScenarioOptions, type ScenarioOptions, settingsOf } from './scenario-options.ts';
import { shardOf } from './shard-option.ts';
import { print } from './standard-streams.ts';

interface Options extends ScenarioOptions {
  readonly out: string;
  readonly shard?: string;
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
      '--shard <i/n|auto>',
      'run only part i of n, for example on one of n machines; all parts go into one folder; auto: as the variables of a job array of Slurm, Kubernetes or AWS Batch say',
    )
    .addOption(jsonOption('each new record as a line of JSON'))
    .option('--parquet <file>', 'also write all records of the folder to a Parquet file')
    .addOption(wideOption())
    .addOption(quietOption())
    .addHelpText('after', '\nCtrl-C or SIGTERM ends it between two runs; the same command continues it.')
    .action(async (file: string, options: Options) =>
      exit(await interruptible((interrupted) => action(file, options, interrupted))),
    );
}

async function action(file: string, options: Options, interrupted: AbortSignal): Promise<number> {
  const shard = shardOf(options.shard, process.env);
  const machine = machineOf(options, options.world);
  const design = loadDesign(file, settingsOf(options), options.world, machine);
  const records = lineOutput(options.json);
  const progress = new ProgressLine(options.quiet);
  const width = widthOf(options);
  let hasBegun = false;
  try {
    const result = await sweep(design, {
      folder: options.out,
      shard,
      interrupted,
      planned: (runs, before) => {
        if (!hasBegun) progress.begin(before + runs, before);
        hasBegun = true;
        progress.total = before + runs;
      },
      recorded: (lines, runs) => {
        records.write(() => Buffer.from(lines).toString().trimEnd());
        progress.advance(runs);
      },
    });
    progress.end();
    if (options.parquet !== undefined) {
      const { writeParquet } = await import('../study/sweep/parquet.ts');
      writeParquet(options.parquet, options.out, design);
    }
    if (options.json !== '-') print(folded(sweepTable(design, result, width), width));
    return result.changed === 0 ? 0 : 1;
  } finally {
    progress.end();
    records.close();
  }
}
