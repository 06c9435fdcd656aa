import { z } from 'zod';
import { schedulers } from '../core/cpu/cpu-plan.ts';
import { targetMetrics } from '../scenario/target.ts';
import { worldNames } from '../worlds/world-names.ts';
import { cpuHolders } from './host-cpu.ts';
import { jobKinds } from './job.ts';
import { migrationView, progress } from './migration-schemas.ts';
import { count, each, instant, listOf, ns, reservationSchema, text, view } from './record-schema.ts';
import { watchedView } from './watch-schemas.ts';

/** What the API answers. Keys may be added later. */
export const guestStates = [
  'running',
  'paused',
  'arriving',
  'leaving',
  'rehearsing',
  'unsettled',
  'died',
  'waiting',
  'moved',
  'unreachable',
] as const;

export const guestView = view('Guest', 'A guest that lives here, or did until the daemon was killed.', {
  name: text,
  kind: z
    .enum(['threads', 'qemu'])
    .describe(
      'threads: threads of this process. qemu: a machine of QEMU that somebody else starts and ends.',
    ),
  pages: count.describe('Of a machine: as its last answer says, 0 before the first.'),
  pageSizeBytes: count,
  program: z
    .enum(['classes', 'zipf', 'sequential', 'saturating', 'stream', 'trace', 'dirty-curve'])
    .nullable()
    .describe('null: what the programs of a machine write is not known.'),
  reservation: reservationSchema
    .extend({ scheduler: z.enum(schedulers) })
    .nullable()
    .describe('Of a machine: of each of its processors, while it leaves.'),
  state: z
    .enum(guestStates)
    .describe(
      'unsettled: it is stopped here and may run at its destination. died: it was here when the daemon ended without warning. Of machines alone: rehearsing: it runs, and what it writes is being found out, for a target or a dry run. waiting: its QEMU waits for one. moved: it has moved away, and what is left of it here must not run. unreachable: its QEMU cannot be asked.',
    ),
  steps: count
    .nullable()
    .describe('Steps of its program since it was booted, wherever it ran; null: it is a machine.'),
  heartbeats: count.nullable().describe('null: it is a machine.'),
  owner: z.enum(['here', 'elsewhere', 'unknown']).describe('Whose it is; of one that died, whose it was.'),
  why: text.nullable().describe('Why it is in that state, where there is more to say.'),
});

export const linkView = view('Link', 'A link of the configuration, and what is reserved of it.', {
  name: text,
  capacityBytesPerSecond: z.number(),
  reservedBytesPerSecond: z.number(),
  waiting: count.describe('How many migrations wait for it.'),
});

export const cpuView = view('Cpu', 'The processors of this host, and what is reserved of them.', {
  processors: z
    .number()
    .describe('Of their time, this process gets so much; a container may get less than whole ones.'),
  reservablePerProcessor: z.number().describe('How much of each processor may be reserved, as a part of it.'),
  reserved: z
    .record(z.enum(cpuHolders), z.number())
    .describe('Processors that are reserved (the sum of Q/P), by holder.'),
  holders: listOf(
    z.object({
      holder: z.enum(cpuHolders),
      name: text.describe('The guest, or the id of the migration or experiment.'),
      reservations: listOf(reservationSchema),
      share: z.number(),
    }),
  ),
});

const queueView = view('Queue', 'Who waits and who runs, of a kind.', {
  kind: z.enum(jobKinds),
  waiting: count,
  running: count,
  oldestWaitNs: ns,
});

const downtimeOfRuns = z.object({
  medianNs: ns,
  p95Ns: ns,
  runsDiffer: z.boolean().describe('false: all came to the same, whatever their seed, and count as one run.'),
});

export const experimentView = view('Experiment', 'An experiment that was asked for.', {
  id: z.guid(),
  name: text,
  describe: text,
  world: z.enum(worldNames),
  state: z.enum(['waiting', 'running', 'completed', 'cancelled', 'failed']),
  why: text.nullable(),
  createdAt: instant,
  endedAt: instant.nullable(),
  runs: z.object({ done: count, all: count }),
  downtime: downtimeOfRuns
    .nullable()
    .describe('Of the completed runs of all cells, once all have ended. `cells` keeps them apart.'),
  cells: listOf(
    z.object({
      settings: text.describe('What tells it from the others; empty: it is the only one.'),
      runs: count.describe('That have ended.'),
      completed: count,
      downtime: downtimeOfRuns.nullable().describe('null: none was completed.'),
    }),
  ).describe('Each combination that is compared, once all have ended.'),
  progress: progress.nullable(),
});

const degraded = text
  .nullable()
  .describe('Why it cannot write down what happens, and takes nothing new; null: it can.');

export const stateView = view('State', 'Everything that the page shows.', {
  name: text,
  version: text,
  receives: text.describe('Where guests arrive, HOST:PORT.'),
  needsKey: z.boolean().describe('Whether calls that change something must bring a key.'),
  targetDowntimeNs: ns,
  peers: listOf(z.object({ name: text, address: text })),
  guests: listOf(guestView),
  cpu: cpuView,
  links: listOf(linkView),
  queues: listOf(queueView),
  migrations: listOf(migrationView),
  experiments: listOf(experimentView),
  watched: listOf(watchedView),
  degraded,
});

const pulse = z.object({
  now: ns,
  slices: z.array(z.object({ name: text, startNs: ns, endNs: ns, processor: count })),
  link: z
    .object({
      levelBytes: z.number(),
      depthBytes: count,
      sentBytes: count,
      reservedBytesPerSecond: z.number().nullable(),
    })
    .nullable(),
});

export const referenceView = listOf(
  z
    .object({
      path: text.describe('From the top, with points between keys; []: in a list.'),
      meaning: text,
      isNeeded: z.boolean(),
      fallback: text.optional().describe('The default, as it is written; not there: there is none.'),
      value: text.describe('What may stand there; empty where it has keys of its own.'),
    })
    .meta({ id: 'ScenarioKey', description: 'A key of a scenario.' }),
);

export const healthView = z.object({ ok: z.literal(true) }).meta({ id: 'Health' });
export const readinessView = z.object({ ready: z.literal(true) }).meta({ id: 'Readiness' });

function event<const Name extends string, const Data extends z.ZodRawShape>(name: Name, data: Data) {
  return z.object({ event: z.literal(name), data: z.object(data) });
}

/** One of the server-sent events: its name, and its data once parsed. */
export const eventView = z
  .discriminatedUnion('event', [
    event('alive', {}),
    event('missed', {}),
    event('first', { value: z.union([migrationView, experimentView]) }),
    event('guests', { value: listOf(guestView) }),
    event('links', { value: listOf(linkView) }),
    event('degraded', { value: degraded }),
    event('migration', { id: z.guid(), value: migrationView }),
    event('experiment', { id: z.guid(), value: experimentView }),
    event('watched', { value: watchedView }),
    event('unwatched', { name: text }),
    event('pulse', { id: z.guid(), value: pulse }),
  ])
  .meta({
    id: 'Event',
    description:
      'A server-sent event. first: how it stands when the stream of one migration or experiment begins. alive: every 5 s. missed: not all is known any more that came after the `Last-Event-ID`; the state must be asked for anew. unwatched: a machine is not watched any more. pulse: while a migration runs, who had a processor since the last one, and how full the bucket is.',
  });

export const refusal = view('Refusal', 'Why not, as RFC 9457 writes it.', {
  type: text,
  title: text,
  status: count,
  detail: text,
  error: text.describe('The same as `detail`.'),
  problems: z
    .array(z.object({ path: text, expected: text, found: text, meant: text.optional() }))
    .optional()
    .describe('All that is wrong with the request.'),
  bound: z
    .object({
      key: text,
      metric: z.enum(targetMetrics),
      ...each(ns, 'limitNs', 'atLeastNs'),
      reason: text,
      neededCapacity: z.number().nullable(),
    })
    .nullable()
    .optional()
    .describe('Of a target that cannot be kept: what proves it; null: nothing was found that does.'),
});

export type GuestView = z.infer<typeof guestView>;
export type LinkView = z.infer<typeof linkView>;
export type QueueView = z.infer<typeof queueView>;
export type ExperimentView = z.infer<typeof experimentView>;
export type StateView = z.infer<typeof stateView>;
