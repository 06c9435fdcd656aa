import { EarliestFirst, NONE } from './earliest-first.ts';
import { Jobs } from './jobs.ts';
import { type ResponseTimes, responseTimes } from './response-times.ts';
import type { Slice, TasksInside, Workload } from './workload.ts';

/** What the server as a whole is asked for, in the order of release. The order inside does not matter to it. */
export function jobsInside(
  { tasks }: TasksInside,
  horizon: number,
): (readonly [release: number, work: number])[] {
  return tasks
    .flatMap(({ wcet, period, offset = 0 }) => {
      const count = Math.max(0, Math.ceil((horizon - offset) / period));
      return Array.from({ length: count }, (_, job) => [offset + job * period, wcet] as const);
    })
    .sort(([one], [other]) => one - other);
}

/** Of all servers with tasks in them: which of these ran when, by the server; and what became of the tasks, by their names. */
export function insideOf({ servers, horizon }: Workload, all: readonly Slice[]) {
  const slices: Record<string, readonly Slice[]> = {};
  const finishes: Record<string, readonly number[]> = {};
  const responses: Record<string, ResponseTimes> = {};
  for (const { name: server, inside } of servers) {
    if (!inside) continue;
    const ran = runInside(
      inside,
      all.filter(({ name }) => name === server),
    );
    slices[server] = ran.slices;
    for (const [task, { name, period, deadline = period, offset = 0 }] of inside.tasks.entries()) {
      const release = (job: number) => offset + job * period;
      finishes[name] = ran.finishes[task]!;
      responses[name] = responseTimes({ release, finishes: finishes[name], dueAfter: deadline }, horizon);
    }
  }
  return { slices, finishes, responses };
}

/**
 * Who of the tasks runs in the slices of their server, preempting at once; ties go to the first of the list.
 * @param supply the server's slices in the order of time
 */
function runInside(
  { scheduler, tasks }: TasksInside,
  supply: readonly Slice[],
): { readonly slices: readonly Slice[]; readonly finishes: readonly (readonly number[])[] } {
  const states = tasks.map(() => ({ jobs: new Jobs(), released: 0, finishes: [] as number[] }));
  const ready = new EarliestFirst();
  const releases = new EarliestFirst();
  const slices: Slice[] = [];
  const enqueue = (task: number) => {
    const { jobs } = states[task]!;
    const { period, deadline = period } = tasks[task]!;
    const after = scheduler === 'rm' ? period : deadline;
    if (jobs.isEmpty) ready.remove(task);
    else ready.put(task, scheduler === 'edf' ? jobs.firstArrivalNs + after : after);
  };
  const release = (until: number) => {
    while (releases.firstKey <= until) {
      const { first: task, firstKey: at } = releases;
      const state = states[task]!;
      const { wcet, period } = tasks[task]!;
      state.jobs.add(wcet, at);
      state.released += 1;
      releases.put(task, at + period);
      enqueue(task);
    }
  };
  for (const [task, { offset = 0 }] of tasks.entries()) releases.put(task, offset);
  for (const { start, end, processor } of supply) {
    for (let now = start; now < end; ) {
      release(now);
      const task = ready.first;
      if (task === NONE) break;
      const { jobs, finishes } = states[task]!;
      const until = Math.min(end, now + jobs.firstWorkNs, releases.firstKey);
      const { name } = tasks[task]!;
      const last = slices.at(-1);
      if (last?.name === name && last.end === now && last.processor === processor) {
        slices[slices.length - 1] = { ...last, end: until };
      } else slices.push({ name, start: now, end: until, processor });
      jobs.work(until - now);
      now = until;
      if (jobs.firstWorkNs > 0) continue;
      jobs.finishFirst();
      finishes.push(now);
      enqueue(task);
    }
  }
  return { slices, finishes: states.map(({ finishes }) => finishes) };
}
