import { z } from 'zod';
import { defaultKernelSettings } from '../core/cpu/kernel-classes.ts';
import type { Reservation } from '../core/cpu/reservation.ts';
import { hasRanks, isKernelClass, rules, simulatedSchedulers, type Workload } from '../core/cpu/workload.ts';
import { inputLimits } from '../core/input-limits.ts';
import { type Problem, shown, UsageError } from '../platform/problem.ts';
import { readText } from '../platform/text-file.ts';
import { whole } from '../scenario/quantity.ts';
import { parseYaml } from '../scenario/yaml-file.ts';
import { MOST, server, task } from './schedule-entries.ts';
import { isTaskSet, scheduledTaskSet } from './scheduled-task-set.ts';

const throttle = z.union(
  [
    z.literal('none'),
    z
      .strictObject({ budget: whole(1, MOST), period: whole(1, MOST) })
      .refine(({ budget, period }) => budget <= period),
  ],
  'none or { budget, period }, whole numbers, the budget at most the period',
);

const schema = z.strictObject(
  {
    scheduler: z
      .enum(simulatedSchedulers, `a scheduler: ${simulatedSchedulers.join(', ')}`)
      .default('cbs-hard'),
    processors: whole(1, 1024).default(1),
    horizon: whole(1, MOST),
    quantum: whole(1, MOST).optional(),
    slice: whole(1, MOST).optional(),
    tick: whole(1, MOST).optional(),
    throttle: throttle.optional(),
    servers: z.array(server, 'a list of servers').default([]),
    tasks: z.array(task, 'a list of tasks').default([]),
  },
  'a workload: { horizon, servers, tasks, … }',
);

/** @throws UsageError all that is wrong with it at once */
export function readWorkload(file: string): Workload {
  const text = readText(file);
  if (isTaskSet(text)) return ofTaskSet(file);
  const document = parseYaml(text, file);
  const parsed = schema.safeParse(document);
  const wrong = [...(parsed.error?.issues ?? []).flatMap(wrongBySchema), ...wrongAmongNames(document)];
  if (parsed.success && wrong.length === 0) {
    const workload = workloadOf(parsed.data);
    wrong.push(...nowhere(workload), ...unkept(workload), ...tooLong(workload));
    if (wrong.length === 0) return workload;
  }
  const problems = wrong.map(({ path, expected }): Problem => {
    const found = path.reduce<unknown>((node, key) => (node as never)?.[key], document);
    return { path: [file, ...path].join('.'), expected, found: shown(found) };
  });
  // A number may be wrong in two ways for one reason.
  const isFirst = ({ path, expected }: Problem, index: number) =>
    problems.findIndex((one) => one.path === path && one.expected === expected) === index;
  throw new UsageError(problems.filter(isFirst));
}

/** @throws UsageError it would be simulated for too long */
function ofTaskSet(file: string): Workload {
  const workload = scheduledTaskSet(file);
  const wrong = tooLong(workload);
  if (wrong.length === 0) return workload;
  const found = `${workload.horizon} µs`;
  throw new UsageError(wrong.map(({ expected }) => ({ path: `${file}: horizon`, expected, found })));
}

function workloadOf({ slice, tick, throttle, servers, ...workload }: z.output<typeof schema>): Workload {
  const { quantum } = workload;
  return {
    ...workload,
    servers: servers.map(({ jobs = [], ...server }) => ({ ...server, jobs })),
    kernel: {
      ...(tick !== undefined && { tickNs: tick }),
      ...(slice !== undefined && { sliceNs: slice }),
      ...(quantum !== undefined && { quantumNs: quantum }),
      ...(throttle !== undefined && { limit: throttle === 'none' ? null : reservationOf(throttle) }),
    },
  };
}

function reservationOf({
  budget,
  period,
}: {
  readonly budget: number;
  readonly period: number;
}): Reservation {
  return { budgetNs: budget, periodNs: period };
}

/** Threads that are tied to a processor that is not there. */
function nowhere({ processors, servers, tasks }: Workload): Wrong[] {
  return Object.entries({ servers, tasks }).flatMap(([list, entries]) =>
    entries.flatMap(({ processor = 0 }, index) =>
      processor < processors
        ? []
        : [{ path: [list, index, 'processor'], expected: `one of the processors, 0 to ${processors - 1}` }],
    ),
  );
}

/** What the scheduler does not know: servers, deadlines of theirs, and what only the kernel's threads have. */
function unkept({ scheduler, servers, tasks }: Workload): Wrong[] {
  const isOfKernel = isKernelClass(scheduler);
  const isDeadline = rules[scheduler] === 'linux';
  const foreign = [
    ...(isOfKernel ? [] : (['nice', 'policy', 'priority'] as const)),
    ...(isDeadline ? (['processor'] as const) : []),
  ];
  const wrong = Object.entries({ servers, tasks }).flatMap(([list, entries]) =>
    entries.flatMap((entry, index) =>
      foreign
        .filter((key) => entry[key] !== undefined)
        .map((key) => ({ path: [list, index, key], expected: unknownTo(key, scheduler) })),
    ),
  );
  if (hasRanks(scheduler) && servers.length > 0) {
    const expected = `none under ${scheduler}, where only tasks have priorities`;
    return [...wrong, { path: ['servers'], expected }];
  }
  return [...wrong, ...(isDeadline ? [] : undue({ scheduler, servers }))];
}

function unknownTo(key: string, scheduler: Workload['scheduler']): string {
  if (key === 'processor') return 'nothing, as SCHED_DEADLINE takes no thread that is tied to a processor';
  return `nothing under ${scheduler}: only the kernel’s threads without reservations have it (scheduler: eevdf or rt)`;
}

function undue({ scheduler, servers }: Pick<Workload, 'scheduler' | 'servers'>): Wrong[] {
  const expected = `nothing, as servers under ${scheduler} are due at the end of their periods (scheduler: deadline)`;
  return servers.flatMap(({ deadline }, index) =>
    deadline === undefined ? [] : [{ path: ['servers', index, 'deadline'], expected }],
  );
}

/**
 * Every period may have a slice of its own, and one more for whoever is interrupted by it. Under `fair` every processor
 * that is used has a turn in every quantum too, and under the kernel's classes in every tick.
 */
function tooLong({ scheduler, processors, horizon, quantum = 1, kernel, servers, tasks }: Workload): Wrong[] {
  const inside = servers.flatMap(({ inside }) => inside?.tasks ?? []);
  const entities = [...servers, ...tasks, ...inside];
  const periods = entities.reduce((sum, { period }) => sum + horizon / period, 0);
  const { tickNs } = { ...defaultKernelSettings(processors), ...kernel };
  const turn = isKernelClass(scheduler) ? tickNs : scheduler === 'fair' ? quantum : Number.POSITIVE_INFINITY;
  const turns = Math.min(processors, entities.length) * (horizon / turn);
  const slices = 2 * periods + turns;
  if (slices <= inputLimits.slices) return [];
  const most = Math.floor((inputLimits.slices * horizon) / slices);
  const longer =
    turns > 0
      ? `a longer ${isKernelClass(scheduler) ? 'tick' : 'quantum'} and longer periods`
      : 'longer periods';
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
  const entries = [
    ...namesIn(['servers'], servers),
    ...(Array.isArray(servers)
      ? servers.flatMap((entry, index) =>
          namesIn(['servers', index, 'inside', 'tasks'], entry?.inside?.tasks ?? []),
        )
      : []),
    ...namesIn(['tasks'], tasks),
  ];
  if (entries.length === 0) return [{ path: ['servers'], expected: 'at least one server or task' }];
  const first = new Map(entries.toReversed().map((entry) => [entry.name, entry]));
  return entries
    .filter((entry) => entry.name !== undefined && first.get(entry.name) !== entry)
    .map(({ path }) => ({ path, expected: 'a name that no other server or task has' }));
}

function namesIn(path: readonly PropertyKey[], written: unknown) {
  if (!Array.isArray(written)) return [{ path, name: undefined }];
  return written.map((entry, index) => ({ path: [...path, index, 'name'], name: entry?.name }));
}
