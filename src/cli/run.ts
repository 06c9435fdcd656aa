import type { Command } from 'commander';
import type { StepListener } from '../run/drive.ts';
import { type CellResult, type RunListener, run } from '../run/run.ts';
import { insisting } from '../scenario/checked.ts';
import { type Experiment, loadExperiment, onMachine } from '../scenario/scenario.ts';
import { scenarioFile } from '../scenario/scenario-file.ts';
import { folded } from '../study/tables/folded.ts';
import { scenarioSummary } from '../study/tables/scenario-summary.ts';
import { serversTable } from '../study/tables/servers-table.ts';
import { experimentTable } from '../study/tables/table.ts';
import { type DestinationThere, parseAddress } from '../transport/address.ts';
import {
  addCredentialOptions,
  type CredentialOptions,
  credentialsOf,
  givenCredentials,
} from './credential-options.ts';
import type { Exit } from './exit.ts';
import { interruptible } from './interruptible.ts';
import { lineOutput, writeRecord } from './line-output.ts';
import { machineOf } from './machine-option.ts';
import { jsonOption, quietOption, RECORDS, wideOption, widthOf } from './output-options.ts';
import { ProgressLine } from './progress-line.ts';
import { addRequirementOptions, type RequirementOptions, Requirements } from './requirements.ts';
import { type ChartOptions, LastCharts } from './run-charts.ts';
import { notingRounds } from './run-progress.ts';
import {
  addScenarioOptions,
  fallbackOption,
  type ScenarioOptions,
  SEED_OF_FIRST,
  settingsOf,
} from './scenario-options.ts';
import { print } from './standard-streams.ts';
import { TraceOutput } from './trace-output.ts';
import { addUntilOptions, type UntilOptions, untilOf } from './until.ts';

interface Options extends ScenarioOptions, CredentialOptions, RequirementOptions, UntilOptions, ChartOptions {
  readonly to?: string;
  readonly journal?: string;
  readonly fallback?: 'cooperative';
  readonly redis?: string;
  readonly trace?: string;
}

/** `switchover run FILE`: carries out a scenario and its matrix; prints a table, or one record a line. */
export function runCommand(command: Command, exit: Exit): void {
  command.argument(
    '<file>',
    'scenario (YAML), or the name of a bundled one, such as 01-first-migration',
    scenarioFile,
  );
  addScenarioOptions(command, {
    runs: 'how often to repeat each combination of settings; with --until, the least',
    seed: SEED_OF_FIRST,
  }).option('--to <host:port>', 'migrate to a running switchover receive (world threads)');
  addUntilOptions(addRequirementOptions(command));
  addCredentialOptions(command, 'the key that the destination given with --to has too')
    .option('--journal <folder>', 'keep a journal of every migration in this folder, for switchover recover')
    .addOption(fallbackOption())
    .option('--redis <url>', 'share the link with other processes through this Redis server')
    .addOption(jsonOption(RECORDS))
    .option('--trace <file>', 'write every step of every migration with its result, for switchover replay')
    .option('--gantt <file>', 'draw as SVG which thread ran when around the pause of the last migration')
    .option(
      '--perfetto <file>',
      'write the timeline of the last migration, for ui.perfetto.dev; report draws a FILE.perfetto.json beside the records',
    )
    .addOption(wideOption())
    .addOption(quietOption())
    .addHelpText(
      'after',
      '\nCtrl-C cancels the migration, and its record says so; what was measured until\nthen is told. A second Ctrl-C ends the program at once.',
    )
    .action(async (file: string, options: Options) =>
      exit(await interruptible((interrupted) => action(file, options, interrupted))),
    );
}

async function action(file: string, options: Options, interrupted: AbortSignal): Promise<number> {
  const { world, json } = options;
  const machine = machineOf(options, world);
  const until = untilOf(options);
  if (until) insistOnNoChart(options);
  const settings = settingsOf(until ? { ...options, runs: String(until.mostRuns) } : options);
  const experiment = onMachine(loadExperiment(file, settings), machine);
  const to = destination(options);
  checkRedis(experiment, options);
  const records = lineOutput(json);
  const trace = new TraceOutput(options.trace, world === 'virtual');
  const width = widthOf(options);
  if (json !== '-') print(`${folded(scenarioSummary(experiment, until !== undefined), width)}\n`);
  const charts = new LastCharts(experiment, options);
  const progress = new ProgressLine(options.quiet);
  const noted = notingRounds(progress, world);
  progress.begin(experiment.cells.length * experiment.runs);
  const listener: RunListener = {
    starts: (starting) => toAll([options.quiet ? undefined : noted(starting), trace.starts(starting)]),
    ended(record, run) {
      writeRecord(records, record);
      trace.ended(run);
      charts.ended(record, run);
      progress.advance();
    },
  };
  try {
    const all = await run(experiment, {
      ...{ world, to, interrupted, listener },
      ...{ journals: options.journal, fallback: options.fallback, redis: options.redis },
      ...until?.asked,
    });
    progress.end();
    const results = all.filter(({ records }) => records.length > 0);
    if (!interrupted.aborted) charts.writeGantt();
    const requirements = new Requirements(options.require ?? [], results);
    if (json !== '-' && results.length > 0) {
      const parts = [
        experimentTable(results, world, width),
        requirements.table(width),
        until?.table(results, width),
        serversTable(results, width),
        charts.terminal,
      ];
      print(folded(parts.filter((part) => part !== undefined).join('\n\n'), width));
    }
    if (options.summary !== undefined) {
      const more = (result: CellResult) => (until ? { until: until.summaryOf(result) } : {});
      requirements.writeSummary(options.summary, experiment.name, more);
    }
    if (results.some(({ records }) => records.some(({ outcome }) => outcome === 'failed'))) return 1;
    return requirements.areKept && (until?.isReached(results) ?? true) ? 0 : 3;
  } finally {
    progress.end();
    try {
      records.close();
    } finally {
      trace.close();
    }
  }
}

function destination({ to, ...options }: Options): DestinationThere | undefined {
  if (to !== undefined) return { ...parseAddress(to, '--to'), ...credentialsOf(options) };
  return insisting((insist) => {
    for (const [flag, value] of givenCredentials(options)) {
      insist(false, flag, 'to be used together with --to HOST:PORT', value);
    }
    return undefined;
  });
}

/** @throws UsageError the scenario shares no link, or does not run in real time. */
function checkRedis({ cells }: Experiment, { redis, world }: Options): void {
  if (redis === undefined) return;
  insisting((insist) => {
    const isAddress = /^rediss?:\/\/\S+$/.test(redis);
    insist(isAddress, '--redis', 'an address such as redis://127.0.0.1:6379', redis);
    insist(world !== 'virtual', '--redis', 'to be used with --world threads', world);
    const isShared = cells.every(({ share }) => share);
    insist(isShared, 'link.capacity', 'a rate, because --redis shares the link', undefined);
  });
}

/** @throws UsageError a chart is of the last migration, and with --until nobody knows which that is */
function insistOnNoChart({ gantt, perfetto }: ChartOptions): void {
  insisting((insist) => {
    insist(gantt === undefined, '--gantt', 'no --until beside it', gantt);
    insist(perfetto === undefined, '--perfetto', 'no --until beside it', perfetto);
  });
}

function toAll(listeners: readonly (StepListener | undefined)[]): StepListener | undefined {
  const all = listeners.filter((one) => one !== undefined);
  if (all.length === 0) return undefined;
  return (...seen) => {
    for (const listener of all) listener(...seen);
  };
}
