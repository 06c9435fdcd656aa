import type { Load } from './cpu-admission.ts';
import { jobsInside } from './inside-server.ts';
import type { ThreadSettings } from './kernel-classes.ts';
import type { Workload } from './workload.ts';

/** A server or a task, and what became of it. */
export interface Contender extends Load {
  readonly settings: ThreadSettings;
  readonly isTask: boolean;
  readonly isBacklogged: boolean;
  /** It has tasks in it, so that its jobs are only the sum of theirs. */
  readonly isShared: boolean;
  /** D */
  readonly deadline: number;
  /** Whether its jobs have deadlines; else only its budgets have. */
  readonly isDue: boolean;
  /** When its n-th job is released, Infinity if there is none; and what work that is. */
  readonly release: (job: number) => number;
  readonly work: (job: number) => number;
  readonly finishes: number[];
  readonly deadlines: number[];
}

/** Servers first: ties go to the lower index. */
export function contendersOf({ servers, tasks, horizon }: Workload): Contender[] {
  return [
    ...servers.map(({ name, budget, period, deadline = period, jobs, inside, ...settings }, index) => {
      const isBacklogged = !inside && jobs === 'backlogged';
      const own = jobs === 'backlogged' ? [[0, Number.POSITIVE_INFINITY] as const] : jobs;
      const row = inside ? jobsInside(inside, horizon) : own;
      return {
        ...{
          name,
          isTask: false,
          isBacklogged,
          isShared: inside !== undefined,
          budget,
          period,
          deadline,
          processor: settings.processor,
          settings,
        },
        ...{ isDue: servers[index]!.deadline !== undefined, finishes: [], deadlines: [] },
        release: (job: number) => row[job]?.[0] ?? Number.POSITIVE_INFINITY,
        work: (job: number) => row[job]![1],
      };
    }),
    ...tasks.map(({ name, wcet, period, deadline = period, offset = 0, ...settings }) => ({
      ...{
        name,
        isTask: true,
        isBacklogged: false,
        isShared: false,
        budget: wcet,
        period,
        deadline,
        processor: settings.processor,
        settings,
      },
      ...{ isDue: true, finishes: [], deadlines: [] },
      release: (job: number) => offset + job * period,
      work: () => wcet,
    })),
  ];
}
