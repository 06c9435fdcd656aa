import type { Command } from 'commander';
import { expected, formatDuration, formatRate, formatSize, parseDuration } from '../core/units.ts';
import { shown, usageError } from '../platform/problem.ts';
import type { Prediction } from '../run/predict.ts';
import { predictions } from '../run/predictions.ts';
import { insisting } from '../scenario/checked.ts';
import { type Experiment, loadExperiment, onMachine, type ScenarioCell } from '../scenario/scenario.ts';
import { scenarioFile } from '../scenario/scenario-file.ts';
import { byPath, type Setting } from '../scenario/settings.ts';
import { folded } from '../study/tables/folded.ts';
import type { Exit } from './exit.ts';
import { writeJson } from './json-output.ts';
import { addMachineOptions, type MachineOptions, machineOf } from './machine-option.ts';
import { withMonitor } from './monitor-option.ts';
import { jsonOption, type OutputOptions, quietOption, wideOption, widthOf } from './output-options.ts';
import {
  addObservedOptions,
  insistOnNoLog,
  type ObservedOptions,
  predictObserved,
} from './predict-observed.ts';
import type { ProgramOptions, RecordedProgram, Starts } from './predict-program.ts';
import { setOption } from './scenario-options.ts';
import { print } from './standard-streams.ts';

interface Options extends ProgramOptions, MachineOptions, OutputOptions, ObservedOptions {
  readonly set?: readonly Setting[];
  readonly limit?: string;
  readonly probability: string;
}

/** What the model says of one cell; times and sizes null when it does not converge, or when that is unknown. */
type Answer = ReturnType<typeof answerFor>;

/** `switchover predict FILE`: will it converge, how long is the outage, with what certainty, what must be reserved? */
export function predictCommand(command: Command, exit: Exit): void {
  command
    .argument(
      '[file]',
      'scenario (YAML), or the name of a bundled one; optional with --pid if link.rate is set',
      scenarioFile,
    )
    .addOption(setOption());
  addObservedOptions(addMachineOptions(command))
    .option('--limit <time>', 'also print the lowest b_d that keeps the downtime within this limit')
    .option('--probability <p>', 'the probability with which that limit is to be kept', '0.99')
    .option('--pid <n>', 'use a running process as the guest: its page writes are recorded first')
    .option('--for <time>', 'with --pid, how long to record (default: 20s)')
    .option('--interval <time>', 'with --pid, the time between two samples (default: 40ms)')
    .option('--out <file>', 'with --pid, keep the recording in this file')
    .addOption(jsonOption())
    .addOption(wideOption())
    .addOption(quietOption())
    .action(async (file: string | undefined, options: Options) =>
      exit(await action(file, withMonitor(options))),
    );
}

async function action(file: string | undefined, options: Options): Promise<number> {
  if (options.from !== undefined || options.qmp !== undefined) {
    insistOnLogAlone(file, options);
    await predictObserved(options);
    return 0;
  }
  insistOnNoLog(options);
  const machine = machineOf(options);
  const asked = { limitNs: limitOf(options.limit), probability: probabilityOf(options.probability) };
  if (options.pid !== undefined) {
    // What records a process is loaded only here.
    const { fromStarts, recordForScenario } = await import('./predict-program.ts');
    const recorded = await recordForScenario(file, options);
    const { header } = recorded;
    const experiment = onMachine(recorded.experiment, machine);
    tell(experiment, asked, options, {
      header,
      virtual: (cell) => fromStarts(cell, experiment.seed),
    });
    return 0;
  }
  insistOnNoRecording(options);
  if (file === undefined)
    throw usageError('file', 'a scenario, --pid N, --from FILE, --qmp SOCKET or --domain NAME', file);
  tell(onMachine(loadExperiment(file, options.set), machine), asked, options);
  return 0;
}

interface Asked {
  readonly limitNs: number | undefined;
  readonly probability: number;
}

/** Of a program that was recorded: its recording's header, and the same migration on the recording itself. */
interface Recorded extends Pick<RecordedProgram, 'header'> {
  readonly virtual: (cell: ScenarioCell) => Starts;
}

function tell(experiment: Experiment, asked: Asked, options: Options, recorded?: Recorded): void {
  const predicted = predictions(experiment.cells);
  const answers = experiment.cells.map((cell, index) => ({
    settings: byPath(cell.settings),
    answer: {
      ...answerFor(predicted[index]!, asked),
      ...(recorded && { virtual: recorded.virtual(cell) }),
    },
  }));
  const told = writeJson(options.json, () => {
    const [only] = answers;
    const cells = answers.map(({ settings, answer }) => ({ settings, ...answer }));
    return { ...(answers.length === 1 ? only!.answer : { cells }), recording: recorded?.header };
  });
  if (told) {
    const lines = answers.flatMap(({ settings, answer }) =>
      linesOf(experiment.name, settings, answer, asked),
    );
    print(folded(lines.join('\n'), widthOf(options)));
  }
}

function answerFor(prediction: Prediction, { limitNs, probability }: Asked) {
  const { course, downtimeBoundNs, assumes, leftOut } = prediction;
  return {
    ...course,
    downtimeBoundNs,
    ...(limitNs === undefined ? {} : requiredFor(limitNs, probability, prediction)),
    assumes,
    leftOut,
  };
}

/** The b_d that a limit needs, or why there is none. */
function requiredFor(limitNs: number, probability: number, prediction: Prediction) {
  const required = prediction.requiredStopRateBytesPerSecond(limitNs, probability);
  return {
    requiredStopRateBytesPerSecond: required,
    whyNoStopRate: required === null ? prediction.whyNoStopRate(limitNs, probability) : null,
  };
}

/** @throws UsageError a scenario, or what belongs to one, beside a log or a monitor */
function insistOnLogAlone(file: string | undefined, { set, limit, pid, machine }: Options): void {
  insisting((insist) => {
    for (const [flag, value] of Object.entries({
      file,
      '--set': set,
      '--limit': limit,
      '--pid': pid,
      '--machine': machine,
    })) {
      insist(value === undefined, flag, 'nothing beside --from or --qmp', value);
    }
  });
}

/** @throws UsageError an option that says how to record, without --pid */
function insistOnNoRecording({ for: time, interval, out }: ProgramOptions): void {
  insisting((insist) => {
    for (const [flag, value] of Object.entries({ '--for': time, '--interval': interval, '--out': out })) {
      insist(value === undefined, flag, 'to be used together with --pid N', value);
    }
  });
}

function limitOf(text: string | undefined): number | undefined {
  const limitNs = text === undefined ? undefined : parseDuration(text);
  if (text === undefined || (limitNs !== undefined && limitNs > 0)) return limitNs;
  throw usageError('--limit', `${expected.duration} above 0`, text);
}

function probabilityOf(text: string): number {
  const probability = Number(text);
  if (probability > 0 && probability < 1) return probability;
  throw usageError('--probability', 'a probability between 0 and 1', text);
}

function linesOf(
  name: string,
  settings: Record<string, unknown>,
  answer: Answer & { readonly virtual?: Starts },
  asked: Asked,
): readonly string[] {
  const where = Object.entries(settings).map(([path, value]) => `${path} = ${shown(value)}`);
  const { convergesProbability: chance, assumes, leftOut, virtual } = answer;
  return [
    [name, ...where].join(', '),
    ...courseLines(answer),
    ...(chance === null ? [] : [`  chance         converges with probability ${chance.toPrecision(2)}`]),
    ...(virtual ? [`  virtual time   ${virtually(virtual)}`] : []),
    ...requiredLines(answer, asked),
    ...(assumes.length > 0 ? [`  assuming       ${assumes.join('; ')}`] : []),
    ...(leftOut.length > 0 ? [`  left out       ${leftOut.join('; ')}`] : []),
  ];
}

function courseLines(answer: Answer): readonly string[] {
  const { converges, reason, rounds: count, downtimeNs, downtimeBoundNs, pagesLeft } = answer;
  if (downtimeNs === null) return [`  ${converges === null ? 'unknown' : 'does not converge'}: ${reason}`];
  const rounds = `${count} live ${count === 1 ? 'round' : 'rounds'}`;
  const bound = formatDuration(downtimeBoundNs ?? Number.NaN);
  return [
    `  converges      after ${rounds}: ${reason}`,
    `  downtime       ${formatDuration(downtimeNs)}, 99 %: ${formatDuration(answer.downtimeP99Ns!)}`,
    ...(downtimeBoundNs === null
      ? []
      : [`  at most        ${bound}, wherever the sender's budgets fall in their periods`]),
    `  pages left     ${pagesLeft!.mean.toFixed(1)} ± ${pagesLeft!.deviation.toFixed(1)}`,
    `  total          ${formatDuration(answer.totalNs!)}, ${formatSize(answer.totalBytes!)}`,
  ];
}

function requiredLines(answer: Answer, { limitNs, probability }: Asked): readonly string[] {
  if (limitNs === undefined) return [];
  const { requiredStopRateBytesPerSecond: rate, whyNoStopRate } = answer;
  const needed = typeof rate === 'number' ? formatRate(rate) : whyNoStopRate;
  return [`  b_d needed     ${needed}, for ${formatDuration(limitNs)} with probability ${probability}`];
}

/** The same migration on the recording itself. */
function virtually({ migrations, completed, downtimeNs, totalNs }: Starts): string {
  const begun = `${completed} of ${migrations} migrations that start at different points of the recording converge`;
  if (!downtimeNs || !totalNs) return begun;
  const between = ({ median, low, high }: typeof downtimeNs) =>
    `${formatDuration(median)} (${formatDuration(low)}–${formatDuration(high)})`;
  return `${begun}: downtime ${between(downtimeNs)}, total ${between(totalNs)}`;
}
