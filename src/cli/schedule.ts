import type { Command } from 'commander';
import { Overload, type Schedule, schedule, type Workload } from '../core/cpu/schedule.ts';
import { UsageError } from '../platform/problem.ts';
import { writeText } from '../platform/text-file.ts';
import { svgGantt, terminalGantt } from '../study/tables/gantt.ts';
import type { Exit } from './exit.ts';
import { readWorkload } from './schedule-workload.ts';
import { print, write, written } from './standard-streams.ts';

interface Options {
  readonly json?: string;
  readonly svg?: string;
}

/** `switchover schedule FILE`: who gets which processor when, exactly. */
export function scheduleCommand(command: Command, exit: Exit): void {
  command
    .argument(
      '<file>',
      'JSON or YAML: { scheduler, processors, horizon, servers, tasks }, times as whole numbers of any unit; or a task set of rt-app or SimSo, shown in µs',
    )
    .option('--json <->', 'print JSON instead of the chart; the value is -')
    .option('--svg <file>', 'write the Gantt chart as SVG')
    .action(async (file: string, options: Options) => exit(await action(file, options)));
}

async function action(file: string, { json, svg }: Options): Promise<number> {
  const workload = readWorkload(file);
  const result = admitted(file, workload);
  const names = [...workload.servers, ...workload.tasks].map(({ name }) => name);
  const chart = { names, start: 0, end: workload.horizon, format: String };
  if (svg !== undefined) writeText(svg, svgGantt(result.slices, { ...chart, title: titleOf(workload) }));
  if (json !== undefined) {
    await printJson(result);
  } else {
    const drawn = terminalGantt(result.slices, chart);
    print([titleOf(workload), '', drawn, '', ...finishesOf(result, names)].join('\n'));
  }
  return 0;
}

/** In pieces, because millions of slices are more than one string can hold. */
async function printJson({ slices, ...others }: Schedule): Promise<void> {
  write('{"slices":[');
  for (let from = 0; from < slices.length; from += 10_000) {
    const piece = JSON.stringify(slices.slice(from, from + 10_000)).slice(1, -1);
    write(from === 0 ? piece : `,${piece}`);
    await written();
  }
  print(`],${JSON.stringify(others).slice(1)}`);
}

function titleOf({ scheduler, processors, horizon }: Workload): string {
  return `${scheduler} on ${processors} ${processors === 1 ? 'processor' : 'processors'}, 0 to ${horizon}`;
}

/** So many fit a line of a terminal. */
const SHOWN_FINISHES = 12;

function finishesOf({ finishes }: Schedule, names: readonly string[]): string[] {
  const width = Math.max('finishes'.length, ...names.map((name) => name.length));
  return [
    `${'finishes'.padEnd(width)}  jobs  at`,
    ...names.map((name) => {
      const all = finishes[name]!;
      const first = all.slice(0, SHOWN_FINISHES).join(' ') + (all.length > SHOWN_FINISHES ? ' …' : '');
      return `${name.padEnd(width)}  ${String(all.length).padStart(4)}  ${first}`.trimEnd();
    }),
  ];
}

function admitted(file: string, workload: Workload): Schedule {
  try {
    return schedule(workload);
  } catch (cause) {
    if (!(cause instanceof Overload)) throw cause;
    const expected = 'servers and tasks that fit the processors';
    throw new UsageError([{ path: `${file}.servers`, expected, found: cause.message }]);
  }
}
