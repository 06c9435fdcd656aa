import { z } from 'zod';
import { insideSchedulers } from '../core/cpu/workload.ts';
import { whole } from '../scenario/quantity.ts';

/** Instants and their sums stay whole numbers of a double. */
export const MOST = 10 ** 15;

const name = z.string('a name').min(1, 'a name').max(40, 'a name of at most 40 characters');

/** Said also of an entry with other mistakes. */
const atMost = (message: string) => ({
  message: `at most ${message}`,
  when: ({ value }: { readonly value: unknown }) => value instanceof Object,
});
const atMostThePeriod = atMost('the period');
const atMostTheDeadline = atMost('the deadline');

/** What a thread has under the kernel's classes without reservations. */
const settings = {
  nice: whole(-20, 19).optional(),
  policy: z.enum(['fifo', 'rr'], 'fifo or rr').optional(),
  priority: whole(1, 99).optional(),
  processor: whole(0, 1023).optional(),
};

const timing = z.strictObject(
  {
    ...{ name, wcet: whole(1, MOST), period: whole(1, MOST) },
    ...{ deadline: whole(1, MOST).optional(), offset: whole(0, MOST).optional() },
  },
  'a task: { name, wcet, period, deadline, offset }',
);

interface Timing {
  readonly wcet: number;
  readonly period: number;
  readonly deadline?: number | undefined;
}

const inTime = <Task extends z.ZodType<Timing>>(schema: Task) =>
  schema
    .refine(({ wcet, period }) => !(wcet > period), { path: ['wcet'], ...atMostThePeriod })
    .refine(({ deadline, period }) => !(deadline! > period), { path: ['deadline'], ...atMostThePeriod })
    .refine(({ wcet, deadline }) => !(wcet > deadline!), { path: ['wcet'], ...atMostTheDeadline });

export const task = inTime(timing.extend(settings));

const someJobs = z.array(
  z.tuple([whole(0, MOST), whole(1, MOST)], '[release, work]'),
  '"backlogged" or a list of jobs [release, work]',
);

const inside = z.strictObject(
  {
    scheduler: z.enum(insideSchedulers, `a scheduler: ${insideSchedulers.join(', ')}`).default('edf'),
    tasks: z.array(inTime(timing), 'a list of tasks').min(1, 'at least one task'),
  },
  'tasks that share the server: { scheduler, tasks }',
);

/** Not a union, which would not say which of the jobs is wrong. */
const jobs = z.unknown().transform((value, context) => {
  if (value === undefined) return undefined;
  if (value === 'backlogged') return 'backlogged' as const;
  const parsed = someJobs.safeParse(value);
  if (parsed.success) return parsed.data.sort(([one], [other]) => one - other);
  for (const { message, path } of parsed.error.issues) context.addIssue({ code: 'custom', message, path });
  return z.NEVER;
});

export const server = z
  .strictObject(
    {
      ...{ name, budget: whole(1, MOST), deadline: whole(1, MOST).optional(), period: whole(1, MOST) },
      ...{ jobs: jobs.optional(), inside: inside.optional(), ...settings },
    },
    'a server: { name, budget, period, jobs }',
  )
  .refine(({ budget, period }) => !(budget > period), { path: ['budget'], ...atMostThePeriod })
  .refine(({ deadline, period }) => !(deadline! > period), { path: ['deadline'], ...atMostThePeriod })
  .refine(({ budget, deadline }) => !(budget > deadline!), { path: ['budget'], ...atMostTheDeadline })
  .refine(({ jobs, inside }) => (jobs === undefined) !== (inside === undefined), {
    path: ['jobs'],
    ...{
      message:
        '"backlogged" or a list of jobs [release, work], or instead of it inside: { scheduler, tasks }',
    },
  });
