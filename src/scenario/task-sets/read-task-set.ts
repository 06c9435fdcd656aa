import { z } from 'zod';
import type { Reservation } from '../../core/cpu/reservation.ts';
import { inputLimits } from '../../core/input-limits.ts';
import type { RealTimeTask, TaskSet } from '../../core/schedulability/real-time-task.ts';
import { TooLarge } from '../../platform/failure.ts';
import { usageError } from '../../platform/problem.ts';
import { readText } from '../../platform/text-file.ts';
import { checked, insisting } from '../checked.ts';
import { reservationSchema } from '../cpu.ts';
import { duration, durationAboveZero, whole } from '../quantity.ts';
import { isObject } from '../settings.ts';
import { parseYaml } from '../yaml-file.ts';
import { asJson, readRtApp, rtAppSchema } from './rt-app.ts';
import { readSimso } from './simso.ts';
import type { TaskSetFile, WrittenTask } from './task-set-file.ts';

/**
 * A task set from rt-app's JSON, SimSo's XML, or YAML of our own, told by what is in it.
 * @throws Failure the file cannot be read @throws UsageError all that is wrong with it
 */
export function readTaskSet(file: string): TaskSetFile {
  const set = parseTaskSet(readText(file), file);
  const { tasks: most } = inputLimits;
  if (set.tasks.length > most) throw new TooLarge(`${file}: tasks`, `at most ${most} tasks`);
  return set;
}

function parseTaskSet(text: string, file: string): TaskSetFile {
  const placed = (path: string) => `${file}: ${path}`;
  if (/^\s*</.test(text)) return insisting((insist) => readSimso(text, insist), placed);
  const document = parseYaml(/^\s*[{/]/.test(text) ? asJson(text) : text, file);
  if (isRtApp(document)) {
    const rtApp = checked(rtAppSchema, document, 'a task set', [file]);
    return insisting((insist) => readRtApp(rtApp, insist), placed);
  }
  return ownTaskSet(checked(ownSchema, document, 'a task set', [file]));
}

/** rt-app names its tasks by their keys; ours are a list. */
export function isRtApp(document: unknown): boolean {
  return isObject(document) && isObject(document.tasks);
}

const ownTask = z
  .strictObject(
    {
      name: z.string('a name').min(1, 'a name').max(40, 'a name of at most 40 characters'),
      wcet: durationAboveZero,
      period: durationAboveZero,
      deadline: durationAboveZero.optional(),
      offset: duration.prefault(0),
      priority: whole(0, 99).default(0),
    },
    'a task: { name, wcet, period }',
  )
  .refine(({ deadline = 0, period }) => deadline <= period, {
    path: ['deadline'],
    message: 'at most the period',
  })
  .refine(({ wcet, deadline, period }) => wcet <= (deadline ?? period), {
    path: ['wcet'],
    message: 'at most the deadline',
  });

const orders = ['edf', 'rm', 'dm', 'priority'] as const;

const ownSchema = z.strictObject(
  {
    scheduler: z.enum(orders, `a scheduler: ${orders.join(', ')}`).default('edf'),
    reservation: reservationSchema,
    tasks: z.array(ownTask, 'a list of tasks').min(1, 'at least one task'),
  },
  'a task set: { scheduler, reservation, tasks }',
);

function ownTaskSet({ scheduler, reservation, tasks }: z.output<typeof ownSchema>): TaskSetFile {
  return {
    format: 'switchover',
    tasks: tasks.map(({ name, wcet, period, deadline = period, offset, priority }): WrittenTask => {
      const rank = { edf: 0, rm: -period, dm: -deadline, priority }[scheduler];
      const policy = scheduler === 'edf' ? 'edf' : 'fixed-priority';
      const task = { workNs: wcet, periodNs: period, deadlineNs: deadline, offsetNs: offset };
      return { name, ...task, policy, priority: rank };
    }),
    reservation: (reservation as Reservation | undefined) ?? null,
    processors: 1,
    isPartitioned: false,
    horizonNs: null,
  };
}

/**
 * The task set as it is analysed: offsets do not count, as a stop may begin at any instant.
 * @throws UsageError its tasks run by policies of which together nothing can be said, or on several processors
 */
export function analysedSet(
  { tasks, processors }: TaskSetFile,
  file: string,
): Omit<TaskSet, 'tasks'> & { readonly tasks: readonly (RealTimeTask & { readonly name: string })[] } {
  const homes = new Set(tasks.map(({ processor }) => processor));
  const isOnOne = processors === 1 || (homes.size === 1 && !homes.has(undefined));
  if (!isOnOne) {
    const expected = 'one, of which the guest’s reservation is';
    throw usageError(`${file}: processors`, expected, processors);
  }
  const policies = [...new Set(tasks.map(({ policy }) => policy))];
  const [policy] = policies;
  if (policies.length !== 1 || policy === undefined || policy === 'none') {
    const expected = 'tasks that all run by SCHED_DEADLINE, or all by SCHED_FIFO or SCHED_RR';
    throw usageError(`${file}: policy`, expected, policies.join(' and '));
  }
  const ranked = policy === 'edf' ? tasks : tasks.toSorted((one, other) => other.priority - one.priority);
  return {
    policy,
    tasks: ranked.map(({ name, workNs, periodNs, deadlineNs }) => ({ name, workNs, periodNs, deadlineNs })),
  };
}
