import type { Command } from 'commander';
import { z } from 'zod';
import {
  Overload,
  type Schedule,
  schedule,
  simulatedSchedulers,
  type Workload,
} from '../core/cpu/schedule.ts';
import { inputLimits } from '../core/input-limits.ts';
import { type Problem, shown, UsageError } from '../platform/problem.ts';
import { writeText } from '../platform/text-file.ts';
import { whole } from '../scenario/quantity.ts';
import { readYaml } from '../scenario/yaml-file.ts';
import { svgGantt, terminalGantt } from '../study/tables/gantt.ts';
import type { Exit } from './exit.ts';
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
      'JSON or YAML: { scheduler, processors, horizon, servers, tasks }, times as whole numbers of any unit',
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

/** Instants and their sums stay whole numbers of a double. */
const MOST = 10 ** 15;

const name = z.string('a name').min(1, 'a name').max(40, 'a name of at most 40 characters');

const someJobs = z.array(
  z.tuple([whole(0, MOST), whole(1, MOST)], '[release, work]'),
  '"backlogged" or a list of jobs [release, work]',
);

/** Not a union, which would not say which of the jobs is wrong. */
const jobs = z.unknown().transform((value, context) => {
  if (value === 'backlogged') return value;
  const parsed = someJobs.safeParse(value);
  if (parsed.success) return parsed.data.sort(([one], [other]) => one - other);
  for (const { message, path } of parsed.error.issues) context.addIssue({ code: 'custom', message, path });
  return z.NEVER;
});

/** Said also of an entry with other mistakes. */
const atMostThePeriod = {
  message: 'at most the period',
  when: ({ value }: { readonly value: unknown }) => value instanceof Object,
};

const server = z
  .strictObject(
    { name, budget: whole(1, MOST), period: whole(1, MOST), jobs },
    'a server: { name, budget, period, jobs }',
  )
  .refine(({ budget, period }) => !(budget > period), { path: ['budget'], ...atMostThePeriod });

const task = z
  .strictObject({ name, wcet: whole(1, MOST), period: whole(1, MOST) }, 'a task: { name, wcet, period }')
  .refine(({ wcet, period }) => !(wcet > period), { path: ['wcet'], ...atMostThePeriod });

const schema = z.strictObject(
  {
    scheduler: z
      .enum(simulatedSchedulers, `a scheduler: ${simulatedSchedulers.join(', ')}`)
      .default('cbs-hard'),
    processors: whole(1, 1024).default(1),
    horizon: whole(1, MOST),
    quantum: whole(1, MOST).default(1),
    servers: z.array(server, 'a list of servers').default([]),
    tasks: z.array(task, 'a list of tasks').default([]),
  },
  'a workload: { horizon, servers, tasks, … }',
);

/** @throws UsageError all that is wrong with it at once */
function readWorkload(file: string): Workload {
  const document = readYaml(file);
  const parsed = schema.safeParse(document);
  const wrong = [...(parsed.error?.issues ?? []).flatMap(wrongBySchema), ...wrongAmongNames(document)];
  if (parsed.success && wrong.length === 0) wrong.push(...tooLong(parsed.data));
  if (parsed.success && wrong.length === 0) return parsed.data;
  throw new UsageError(
    wrong.map(({ path, expected }): Problem => {
      const found = path.reduce<unknown>((node, key) => (node as never)?.[key], document);
      return { path: [file, ...path].join('.'), expected, found: shown(found) };
    }),
  );
}

/**
 * Every period may have a slice of its own, and one more for whoever is interrupted by it. Under `fair` every processor
 * that is used has a turn in every quantum too.
 */
function tooLong({ scheduler, processors, horizon, quantum = 1, servers, tasks }: Workload): Wrong[] {
  const entities = [...servers, ...tasks];
  const periods = entities.reduce((sum, { period }) => sum + horizon / period, 0);
  const turns = scheduler === 'fair' ? Math.min(processors, entities.length) * (horizon / quantum) : 0;
  const slices = 2 * periods + turns;
  if (slices <= inputLimits.slices) return [];
  const most = Math.floor((inputLimits.slices * horizon) / slices);
  const longer = turns > 0 ? 'a longer quantum and longer periods' : 'longer periods';
  return [{ path: ['horizon'], expected: `at most ${most}, or ${longer}` }];
}

interface Wrong {
  readonly path: readonly PropertyKey[];
  readonly expected: string;
}

function wrongBySchema(issue: z.core.$ZodIssue): Wrong[] {
  if (issue.code !== 'unrecognized_keys') return [{ path: issue.path, expected: issue.message }];
  return issue.keys.map((key) => ({ path: [...issue.path, key], expected: 'no such key' }));
}

/** What no entry alone can get wrong; looked for in the document as it is, whatever else is wrong with it. */
function wrongAmongNames(document: unknown): Wrong[] {
  const { servers = [], tasks = [] } = (document ?? {}) as { servers?: unknown; tasks?: unknown };
  const entries = Object.entries({ servers, tasks }).flatMap(([list, written]) =>
    Array.isArray(written)
      ? written.map((entry, index) => ({ path: [list, index, 'name'], name: entry?.name }))
      : [{ path: [list], name: undefined }],
  );
  if (entries.length === 0) return [{ path: ['servers'], expected: 'at least one server or task' }];
  const first = new Map(entries.toReversed().map((entry) => [entry.name, entry]));
  return entries
    .filter((entry) => entry.name !== undefined && first.get(entry.name) !== entry)
    .map(({ path }) => ({ path, expected: 'a name that no other server or task has' }));
}
