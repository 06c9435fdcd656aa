import { z } from 'zod';
import { NANOS_PER_SECOND, type Nanos } from '../../core/units.ts';
import type { Insist } from '../checked.ts';
import type { TaskSetFile, WrittenTask } from './task-set-file.ts';

/** rt-app's own form (github.com/scheduler-tools/rt-app, doc/tutorial.txt), times in µs. */
const microseconds = (least: number) => {
  const message = `a number of µs from ${least}`;
  return z
    .number(message)
    .min(least, message)
    .max(10 ** 12, message);
};

const policies = ['SCHED_OTHER', 'SCHED_IDLE', 'SCHED_RR', 'SCHED_FIFO', 'SCHED_DEADLINE'] as const;
const policy = z.enum(policies, `a policy: ${policies.join(', ')}`);
const timer = z.looseObject({ period: microseconds(1) }, 'a timer: { ref, period }');

const taskSchema = z.looseObject(
  {
    policy: policy.optional(),
    priority: z.int().optional(),
    delay: microseconds(0).default(0),
    instance: z.int().min(0).max(1_000).default(1),
    cpus: z.array(z.int().min(0)).optional(),
    'dl-runtime': microseconds(1).optional(),
    'dl-period': microseconds(1).optional(),
    'dl-deadline': microseconds(1).optional(),
    phases: z.record(z.string(), z.looseObject({})).optional(),
  },
  'a task: { run, timer, … }',
);

export const rtAppSchema = z.looseObject({
  tasks: z.record(z.string(), taskSchema, 'tasks by their names'),
  global: z.looseObject({ duration: z.number().optional(), default_policy: policy.optional() }).default({}),
});

export type RtAppDocument = z.infer<typeof rtAppSchema>;

/** Comments and commas behind the last of a list, which rt-app takes, are no JSON. All else stays at its place. */
export function asJson(text: string): string {
  const without = (what: RegExp) => (whole: string) =>
    whole.replace(what, (part) => (part.startsWith('"') ? part : part.replace(/[^\n]/g, ' ')));
  const noComments = without(/"(?:\\.|[^"\\])*"|\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*/g)(text);
  return without(/"(?:\\.|[^"\\])*"|,(?=\s*[}\]])/g)(noComments);
}

/**
 * Tasks that wait for a timer and then run. Of one with several phases the longest run counts in the shortest period.
 * Calls `insist` for a task that has no period.
 */
export function readRtApp({ tasks, global }: RtAppDocument, insist: Insist): TaskSetFile {
  const { duration = 0 } = global;
  const pins = Object.values(tasks).flatMap(({ cpus = [] }) => cpus);
  return {
    format: 'rt-app',
    tasks: Object.entries(tasks).flatMap(([name, task]) =>
      readTask(name, task, task.policy ?? global.default_policy ?? 'SCHED_OTHER', insist),
    ),
    reservation: null,
    processors: 1 + Math.max(0, ...pins),
    isPartitioned: false,
    horizonNs: duration > 0 ? duration * NANOS_PER_SECOND : null,
  };
}

function readTask(
  name: string,
  task: TaskDocument,
  kind: (typeof policies)[number],
  insist: Insist,
): WrittenTask[] {
  const events = [task, ...Object.values(task.phases ?? {})].map(eventsOf);
  const workUs = Math.max(...events.map((each) => each.workUs));
  const periodUs = Math.min(...events.flatMap(({ periodsUs }) => periodsUs));
  const at = `tasks.${name}`;
  const written = (key: RegExp) =>
    [task, ...Object.values(task.phases ?? {})]
      .flatMap((phase) => Object.entries(phase))
      .find(([name]) => key.test(name))?.[1];
  insist(workUs > 0, `${at}.run`, 'how long it runs, in µs', written(RUN));
  const isPeriodic = Number.isFinite(periodUs);
  insist(isPeriodic, `${at}.timer`, 'a timer with a period, from which a job is due', written(TIMER));
  const { cpus = [] } = task;
  insist(cpus.length < 2, `${at}.cpus`, 'one processor, or none said', cpus.join(' and '));
  if (!isPeriodic) return [];
  const deadlineUs =
    kind === 'SCHED_DEADLINE' ? Math.min(periodUs, deadlineUsOf(task) ?? periodUs) : periodUs;
  insist(workUs <= deadlineUs, `${at}.run`, `at most ${deadlineUs}, its period or deadline`, workUs);
  return Array.from({ length: task.instance }, (_, index) => ({
    name: task.instance === 1 ? name : `${name}-${index}`,
    workNs: ns(workUs),
    periodNs: ns(periodUs),
    deadlineNs: ns(deadlineUs),
    offsetNs: ns(task.delay),
    ...schedulingOf(kind, task),
    ...(cpus.length === 1 && { processor: cpus[0]! }),
  }));
}

type TaskDocument = RtAppDocument['tasks'][string];

const RUN = /^run(time)?\d*$/;
const TIMER = /^timer\d*$/;

/** What follows in one phase, or in a task without phases: keys such as `run`, `run1`, `timer0`. */
function eventsOf(phase: Readonly<Record<string, unknown>>): { workUs: number; periodsUs: number[] } {
  let workUs = 0;
  const periodsUs: number[] = [];
  for (const [key, value] of Object.entries(phase)) {
    if (RUN.test(key) && typeof value === 'number' && value > 0) workUs += value;
    const parsed = TIMER.test(key) ? timer.safeParse(value) : undefined;
    if (parsed?.success) periodsUs.push(parsed.data.period);
  }
  return { workUs, periodsUs };
}

function deadlineUsOf(task: TaskDocument): number | undefined {
  return task['dl-deadline'] ?? task['dl-period'];
}

function schedulingOf(
  kind: (typeof policies)[number],
  task: TaskDocument,
): Pick<WrittenTask, 'policy' | 'priority' | 'server'> {
  if (kind !== 'SCHED_DEADLINE') {
    const isRealTime = kind === 'SCHED_FIFO' || kind === 'SCHED_RR';
    return {
      policy: isRealTime ? 'fixed-priority' : 'none',
      priority: task.priority ?? (isRealTime ? 10 : 0),
    };
  }
  const { 'dl-runtime': runtime, 'dl-period': period } = task;
  const deadline = deadlineUsOf(task);
  if (runtime === undefined || deadline === undefined) return { policy: 'edf', priority: 0 };
  const server = { budgetNs: ns(runtime), periodNs: ns(period ?? deadline), deadlineNs: ns(deadline) };
  return { policy: 'edf', priority: 0, server };
}

function ns(us: number): Nanos {
  return Math.round(us * 1_000);
}
