import type { Command } from 'commander';
import { formatDuration, formatSize } from '../core/units.ts';
import { clockNs } from '../platform/clock.ts';
import { Failure } from '../platform/failure.ts';
import { shown } from '../platform/problem.ts';
import { tell } from '../platform/tell.ts';
import { writeText } from '../platform/text-file.ts';
import type { StepListener } from '../run/drive.ts';
import { type RunListener, run } from '../run/run.ts';
import { insisting } from '../scenario/checked.ts';
import { type Experiment, loadExperiment, onMachine } from '../scenario/scenario.ts';
import { scenarioFile } from '../scenario/scenario-file.ts';
import { perfettoTrace } from '../study/tables/perfetto-trace.ts';
import { folded } from '../study/tables/plain-table.ts';
import { roundLog } from '../study/tables/round-log.ts';
import { scenarioSummary } from '../study/tables/scenario-summary.ts';
import { serversTable } from '../study/tables/servers-table.ts';
import { type StopChart, stopChart } from '../study/tables/stop-chart.ts';
import { experimentTable } from '../study/tables/table.ts';
import { type DestinationThere, parseAddress } from '../transport/address.ts';
import type { GuestSpec } from '../workload/programs.ts';
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
import { progressBar } from './progress-bar.ts';
import { addRequirementOptions, type RequirementOptions, Requirements } from './requirements.ts';
import {
  addScenarioOptions,
  fallbackOption,
  type ScenarioOptions,
  SEED_OF_FIRST,
  settingsOf,
} from './scenario-options.ts';
import { print } from './standard-streams.ts';
import { TraceOutput } from './trace-output.ts';

interface Options extends ScenarioOptions, CredentialOptions, RequirementOptions {
  readonly to?: string;
  readonly journal?: string;
  readonly fallback?: 'cooperative';
  readonly redis?: string;
  readonly json?: string;
  readonly trace?: string;
  readonly gantt?: string;
  readonly perfetto?: string;
  readonly wide?: boolean;
}

/** `switchover run FILE`: carries out a scenario and its matrix; prints a table, or one record a line. */
export function runCommand(command: Command, exit: Exit): void {
  command.argument(
    '<file>',
    'scenario (YAML), or the name of a bundled one, such as 01-first-migration',
    scenarioFile,
  );
  addScenarioOptions(command, {
    runs: 'how often to repeat each combination of settings',
    seed: SEED_OF_FIRST,
  }).option('--to <host:port>', 'migrate to a running switchover receive (world threads)');
  addRequirementOptions(command);
  addCredentialOptions(command, 'the key that the destination given with --to has too')
    .option('--journal <folder>', 'keep a journal of every migration in this folder, for switchover recover')
    .addOption(fallbackOption())
    .option('--redis <url>', 'share the link with other processes through this Redis server')
    .option(
      '--json <file>',
      'write one JSON record per line to a file, or with - to standard output instead of the table',
    )
    .option('--trace <file>', 'write every step of every migration with its result, for switchover replay')
    .option('--gantt <file>', 'draw as SVG which thread ran when around the pause of the last migration')
    .option('--perfetto <file>', 'write the timeline of the last migration, which ui.perfetto.dev opens')
    .option('--wide', 'all columns of the tables, however wide the terminal is')
    .option('--quiet', 'no progress on standard error')
    .addHelpText(
      'after',
      '\nCtrl-C cancels the migration, and its record says so. A second Ctrl-C ends the program at once.',
    )
    .action(async (file: string, options: Options) => {
      const carriedOut = (interrupted?: AbortSignal) => action(file, options, interrupted);
      exit(await (options.world === 'threads' ? interruptible(carriedOut) : carriedOut()));
    });
}

async function action(file: string, options: Options, interrupted?: AbortSignal): Promise<number> {
  const machine = machineOf(options, options.world);
  const experiment = onMachine(loadExperiment(file, settingsOf(options)), machine);
  const to = destination(options);
  checkRedis(experiment, options);
  const records = lineOutput(options.json);
  const trace = new TraceOutput(options.trace, options.world === 'virtual');
  const width = process.stdout.isTTY && options.wide !== true ? process.stdout.columns : undefined;
  if (options.json !== '-') print(`${folded(scenarioSummary(experiment), width)}\n`);
  const wantsChart = options.json !== '-' || options.gantt !== undefined;
  let left = experiment.cells.length * experiment.runs;
  let chart: StopChart | undefined;
  const progress = progressOf(experiment, options);
  try {
    const all = await run(experiment, {
      world: options.world,
      to,
      journals: options.journal,
      fallback: options.fallback,
      redis: options.redis,
      interrupted,
      listener: {
        starts(starting) {
          const listeners = [progress.starts(starting), trace.starts(starting)].filter(
            (one) => one !== undefined,
          );
          return listeners.length === 0
            ? undefined
            : (...seen) => {
                for (const listener of listeners) listener(...seen);
              };
        },
        ended: (record, run) => {
          writeRecord(records, record);
          trace.ended(run);
          left -= 1;
          if (left === 0) {
            if (wantsChart) chart = stopChart(run, `${experiment.name}, seed ${record.seed}`);
            if (options.perfetto !== undefined)
              writeText(options.perfetto, JSON.stringify(perfettoTrace(run)));
          }
          progress.ended();
        },
      },
    });
    progress.stop();
    const results = all.filter(({ records }) => records.length > 0);
    if (options.gantt !== undefined && !interrupted?.aborted) writeChart(options.gantt, chart);
    const requirements = new Requirements(options.require ?? [], results);
    if (options.json !== '-' && results.length > 0) {
      const tables = [
        experimentTable(results, options.world, width),
        requirements.table(width),
        serversTable(results, width),
      ];
      const parts = [...tables, chart?.terminal].filter((part) => part !== undefined);
      print(folded(parts.join('\n\n'), width));
    }
    if (options.summary !== undefined) requirements.writeSummary(options.summary, experiment.name);
    if (results.some(({ records }) => records.some(({ outcome }) => outcome === 'failed'))) return 1;
    return requirements.areKept ? 0 : 3;
  } finally {
    progress.stop();
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

/** @throws Failure there is nothing to draw, or it cannot be written. */
function writeChart(file: string, chart: StopChart | undefined): void {
  if (!chart)
    throw new Failure(
      '--gantt: no chart, because the guest of the last run was not paused or nothing competed for a processor',
    );
  writeText(file, chart.svg);
}

/**
 * On standard error: a line a round, and on a terminal a bar below them. Of a fleet in virtual time there are no rounds, since all
 * of it is computed before any migration of it has ended.
 */
function progressOf({ cells, runs }: Experiment, { world, quiet = false }: Options) {
  const terminal = process.stderr.isTTY === true;
  const bar = terminal && !quiet ? progressBar() : undefined;
  const show = (line: string) => tell(terminal ? `\r\x1b[K${line}\n` : `${line}\n`);
  const starts: Required<RunListener>['starts'] = ({ cell, run, seed }) => {
    if (quiet) return undefined;
    const settings = cell.settings.map(({ path, value }) => `${path} = ${shown(value)}`);
    show([`run ${run}, seed ${seed}`, ...settings].join(', '));
    if (world === 'virtual' && cell.share) return undefined;
    const name = cell.settings.find(({ path }) => path === 'fleet')?.value;
    const print = (line: string) => show(name === undefined ? line : `${line} (${name})`);
    return world === 'virtual' ? roundLog(print) : told(cell.guest, print, roundLog(print));
  };
  bar?.start(cells.length * runs, 0);
  return { starts, ended: () => bar?.increment(), stop: () => bar?.stop() };
}

/** Less memory than this is ready before anybody wonders. */
const NOTICED_BYTES = 2 ** 30;

/** Says too that a large guest's memory is being made ready, and how long that took until the migration began. */
function told(
  { pages, pageSizeBytes }: Pick<GuestSpec, 'pages' | 'pageSizeBytes'>,
  print: (line: string) => void,
  stepped: StepListener,
): StepListener {
  const bytes = pages * pageSizeBytes;
  if (bytes < NOTICED_BYTES) return stepped;
  const beganNs = clockNs();
  print(`  making ${formatSize(bytes)} of memory ready at both ends`);
  let isReady = false;
  return (step, result) => {
    // The clock of a step result begins with the migration.
    if (!isReady) print(`  ready after ${formatDuration(clockNs() - beganNs - result.now)}`);
    isReady = true;
    stepped(step, result);
  };
}
