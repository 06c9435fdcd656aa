import { firstFitDecreasing } from '../core/cpu/cpu-admission.ts';
import type { Workload } from '../core/cpu/workload.ts';
import { UsageError } from '../platform/problem.ts';
import { insisting } from '../scenario/checked.ts';
import { readTaskSet } from '../scenario/task-sets/read-task-set.ts';
import type { TaskSetFile, WrittenTask } from '../scenario/task-sets/task-set-file.ts';

/** Without a length of its own it is simulated for so many of its longest periods. */
const PERIODS = 10;
const NANOS_PER_MICROSECOND = 1_000;
const HIGHEST_PRIORITY = 99;

/** Whether a text is a task set of rt-app or SimSo, and no workload of our own. */
export function isTaskSet(text: string): boolean {
  return /^\s*</.test(text) || /^\s*[{/][\s\S]*?"tasks"\s*:\s*\{/.test(text);
}

/**
 * What is to be simulated of a task set that other tools read, times in µs. Tasks with a reservation of their own are servers under
 * SCHED_DEADLINE; others run by EDF, or by fixed priorities as SCHED_FIFO has them: on whichever processor is free, or each on its own.
 * @throws UsageError what of it is not simulated
 */
export function scheduledTaskSet(file: string): Workload {
  const set = readTaskSet(file);
  const { tasks, processors } = set;
  const kinds = new Set(tasks.map(({ policy, server }) => (server ? 'deadline' : policy)));
  const [kind] = kinds;
  if (kinds.size !== 1 || kind === undefined || kind === 'none') {
    const expected = 'tasks that all have a reservation, or all run by EDF, or all by SCHED_FIFO or SCHED_RR';
    throw new UsageError([{ path: `${file}: policy`, expected, found: [...kinds].join(' and ') }]);
  }
  insistOnReservations(set, file);
  const shared = { processors, horizon: horizonOf(set) };
  if (kind === 'deadline') {
    return {
      ...shared,
      scheduler: 'deadline',
      servers: tasks.map((task) => serverOf(task, shared.horizon)),
      tasks: [],
    };
  }
  const ranks = [...new Set(tasks.map(({ priority }) => priority))].sort((one, other) => other - one);
  const homes = set.isPartitioned ? homesOf(set, file) : tasks.map(({ processor }) => processor);
  const isShared = processors > 1 && !set.isPartitioned;
  return {
    ...shared,
    scheduler: kind !== 'edf' ? 'rt' : isShared ? 'deadline' : 'cbs-hard',
    // SimSo has no limit for real-time tasks.
    ...(set.format === 'SimSo' && { kernel: { limit: null } }),
    servers: [],
    tasks: tasks.map(({ name, workNs, periodNs, deadlineNs, offsetNs, priority }, index) => ({
      ...{ name, wcet: us(workNs), period: us(periodNs), deadline: us(deadlineNs), offset: us(offsetNs) },
      ...(kind !== 'edf' && { policy: 'fifo', priority: HIGHEST_PRIORITY - ranks.indexOf(priority) }),
      ...(homes[index] !== undefined && { processor: homes[index] }),
    })),
  };
}

/** @throws UsageError a task finds no processor with room */
function homesOf({ tasks, processors }: TaskSetFile, file: string): readonly number[] {
  const loads = tasks.map(({ name, workNs, periodNs }) => ({ name, budget: workNs, period: periodNs }));
  const placement = firstFitDecreasing(loads, processors, (ns) => `${us(ns)} µs`);
  if (placement.admitted) return placement.processorOf;
  throw new UsageError([
    { path: `${file}: tasks`, expected: 'tasks that fit the processors', found: placement.why },
  ]);
}

/** What sched_setattr refuses. */
function insistOnReservations({ tasks }: TaskSetFile, file: string): void {
  insisting(
    (insist) => {
      for (const { name, server, processor } of tasks) {
        if (!server) continue;
        const tied = 'nothing, as SCHED_DEADLINE takes no thread that is tied to a processor';
        insist(processor === undefined, `${name}.cpus`, tied, processor);
        const { budgetNs, deadlineNs, periodNs } = server;
        const isWithin = deadlineNs <= periodNs;
        insist(isWithin, `${name}.dl-deadline`, 'at most its dl-period', `${us(deadlineNs)} µs`);
        insist(budgetNs <= deadlineNs, `${name}.dl-runtime`, 'at most its dl-deadline', `${us(budgetNs)} µs`);
      }
    },
    (path) => `${file}: ${path}`,
  );
}

function serverOf(
  { name, workNs, periodNs, offsetNs, server }: WrittenTask,
  horizon: number,
): Workload['servers'][number] {
  const count = Math.max(0, Math.ceil((horizon - us(offsetNs)) / us(periodNs)));
  const jobs = Array.from(
    { length: count },
    (_, k) => [us(offsetNs) + k * us(periodNs), us(workNs)] as const,
  );
  const { budgetNs, periodNs: serverPeriodNs, deadlineNs } = server!;
  return { name, budget: us(budgetNs), deadline: us(deadlineNs), period: us(serverPeriodNs), jobs };
}

function horizonOf({ horizonNs, tasks }: TaskSetFile): number {
  return us(horizonNs ?? PERIODS * Math.max(...tasks.map(({ periodNs }) => periodNs)));
}

function us(ns: number): number {
  return Math.max(0, Math.round(ns / NANOS_PER_MICROSECOND));
}
