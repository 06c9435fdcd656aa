import type { Command } from 'commander';
import type { ResponseTimes } from '../core/cpu/response-times.ts';
import { Overload, type Schedule, schedule } from '../core/cpu/schedule.ts';
import type { Workload } from '../core/cpu/workload.ts';
import { writeWhole } from '../platform/pending-file.ts';
import { UsageError } from '../platform/problem.ts';
import { writeText } from '../platform/text-file.ts';
import { folded } from '../study/tables/folded.ts';
import { svgGantt, terminalGantt } from '../study/tables/gantt.ts';
import type { Exit } from './exit.ts';
import { jsonOption, type OutputOptions, wideOption, widthOf } from './output-options.ts';
import { readWorkload } from './schedule-workload.ts';
import { print, write, written } from './standard-streams.ts';

interface Options extends OutputOptions {
  readonly svg?: string;
}

/** `switchover schedule FILE`: who gets which processor when, exactly. */
export function scheduleCommand(command: Command, exit: Exit): void {
  command
    .argument(
      '<file>',
      'JSON or YAML: { scheduler, processors, horizon, servers, tasks }, times as whole numbers of any unit; or a task set of rt-app or SimSo, shown in µs',
    )
    .addOption(jsonOption())
    .option('--svg <file>', 'write the Gantt chart as SVG')
    .addOption(wideOption())
    .action(async (file: string, options: Options) => exit(await action(file, options)));
}

async function action(file: string, options: Options): Promise<number> {
  const { json, svg } = options;
  const workload = readWorkload(file);
  const result = admitted(file, workload);
  const { servers, tasks } = workload;
  const all = [...servers.flatMap((server) => [server, ...(server.inside?.tasks ?? [])]), ...tasks];
  const chart = { names: all.map(({ name }) => name), start: 0, end: workload.horizon, format: String };
  const slices = [...result.slices, ...Object.values(result.inside).flat()];
  if (svg !== undefined) writeText(svg, svgGantt(slices, { ...chart, title: titleOf(workload) }));
  if (json !== undefined) await writeSchedule(json, result);
  if (json !== '-') {
    const width = widthOf(options);
    const drawn = terminalGantt(slices, { ...chart, ...(width !== undefined && { width }) });
    // What was done is told of the tasks in a server, not of their sum.
    const names = all.filter((one) => !('inside' in one && one.inside)).map(({ name }) => name);
    const tables = [finishesOf(result, names, options.wide), responsesOf(result, names)];
    const folds = tables.map((lines) => folded(lines.join('\n'), width));
    print([titleOf(workload), '', drawn, '', folds.join('\n\n')].join('\n'));
  }
  return 0;
}

/** In pieces, because millions of slices are more than one string can hold. @throws Failure it cannot be written */
async function writeSchedule(file: string, result: Schedule): Promise<void> {
  if (file !== '-') {
    writeWhole([
      [
        file,
        (pending) => {
          for (const piece of jsonOf(result)) pending.write(piece);
        },
      ],
    ]);
    return;
  }
  for (const piece of jsonOf(result)) {
    write(piece);
    await written();
  }
}

function* jsonOf({ slices, ...others }: Schedule): Generator<string> {
  yield '{"slices":[';
  for (let from = 0; from < slices.length; from += 10_000) {
    const piece = JSON.stringify(slices.slice(from, from + 10_000)).slice(1, -1);
    yield from === 0 ? piece : `,${piece}`;
  }
  yield `],${JSON.stringify(others).slice(1)}\n`;
}

function titleOf({ scheduler, processors, horizon }: Workload): string {
  return `${scheduler} on ${processors} ${processors === 1 ? 'processor' : 'processors'}, 0 to ${horizon}`;
}

/** The others are shown with --wide, and are in the JSON. */
const SHOWN_FINISHES = 12;

function finishesOf({ finishes }: Schedule, names: readonly string[], all = false): string[] {
  const width = Math.max('finishes'.length, ...names.map((name) => name.length));
  return [
    `${'finishes'.padEnd(width)}  jobs  at`,
    ...names.map((name) => {
      const own = finishes[name]!;
      const shown = all ? own : own.slice(0, SHOWN_FINISHES);
      const at = shown.join(' ') + (own.length > shown.length ? ' …' : '');
      return `${name.padEnd(width)}  ${String(own.length).padStart(4)}  ${at}`.trimEnd();
    }),
  ];
}

function responsesOf({ responses }: Schedule, names: readonly string[]): string[] {
  const width = Math.max('response'.length, ...names.map((name) => name.length));
  const row = (name: string, cells: readonly string[]) =>
    [name.padEnd(width), ...cells.map((cell) => cell.padStart(8))].join('  ');
  return [
    row('response', ['jobs', 'worst', 'mean', 'missed']),
    ...names.map((name) => row(name, cellsOf(responses[name]!))),
  ];
}

function cellsOf({ jobs, worst, mean, missed }: ResponseTimes): string[] {
  const shown = (time: number | null) => (time === null ? '–' : String(Number(time.toFixed(1))));
  return [String(jobs), shown(worst), shown(mean), shown(missed)];
}

function admitted(file: string, workload: Workload): Schedule {
  try {
    return schedule(workload);
  } catch (cause) {
    if (!(cause instanceof Overload)) throw cause;
    const expected = 'servers and tasks that fit the processors';
    const list = workload.servers.length > 0 ? 'servers' : 'tasks';
    throw new UsageError([{ path: `${file}.${list}`, expected, found: cause.message }]);
  }
}
