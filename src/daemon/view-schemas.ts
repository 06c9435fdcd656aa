import { z } from 'zod';
import { schedulers } from '../core/cpu/cpu-plan.ts';
import { worldNames } from '../worlds/worlds.ts';
import { cpuHolders } from './host-cpu.ts';
import { outcomeSchema, predictedSchema, recordSchema, reservationSchema } from './record-schema.ts';

/** What the API answers. Keys may be added later. */
const count = z.int().min(0);
const ns = z.number();
const instant = z.iso.datetime();

/** Any number of something, which whoever is given them leaves as they are. */
export function listOf<T>(schema: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.array(schema);
}

export const guestStates = ['running', 'paused', 'arriving', 'leaving', 'unsettled', 'died'] as const;

export const guestView = z
  .object({
    name: z.string(),
    pages: count,
    pageSizeBytes: count,
    program: z.enum(['classes', 'zipf', 'sequential', 'saturating', 'stream', 'trace', 'dirty-curve']),
    reservation: reservationSchema.extend({ scheduler: z.enum(schedulers) }).nullable(),
    state: z
      .enum(guestStates)
      .describe(
        'unsettled: it is stopped here and may run at its destination. died: it was here when the daemon ended without warning.',
      ),
    steps: count.describe('Steps of its program since it was booted, wherever it ran.'),
    heartbeats: count,
    owner: z.enum(['here', 'elsewhere', 'unknown']).describe('Whose it is; of one that died, whose it was.'),
    why: z.string().nullable(),
  })
  .meta({ id: 'Guest', description: 'A guest that lives here, or did until the daemon was killed.' });

export const linkView = z
  .object({
    name: z.string(),
    capacityBytesPerSecond: z.number(),
    reservedBytesPerSecond: z.number(),
    waiting: count.describe('How many migrations wait for it.'),
  })
  .meta({ id: 'Link', description: 'A link of the configuration, and what is reserved of it.' });

const cpuView = z
  .object({
    processors: count,
    reservablePerProcessor: z
      .number()
      .describe('How much of each processor may be reserved, as a part of it.'),
    reserved: z
      .record(z.enum(cpuHolders), z.number())
      .describe('Processors that are reserved (the sum of Q/P), by holder.'),
    holders: listOf(
      z.object({
        holder: z.enum(cpuHolders),
        name: z.string().describe('The guest, or the id of the migration or experiment.'),
        reservations: listOf(reservationSchema),
        share: z.number(),
      }),
    ),
  })
  .meta({ id: 'Cpu', description: 'The processors of this host, and what is reserved of them.' });

const queueView = z
  .object({
    kind: z.enum(['migration', 'experiment']),
    waiting: count,
    running: count,
    oldestWaitNs: ns,
  })
  .meta({ id: 'Queue', description: 'Who waits and who runs, of a kind.' });

const progress = z
  .object({
    phase: z.enum(['connecting', 'observing', 'live', 'stopped', 'handing over', 'ended']),
    rounds: listOf(
      z.object({
        round: count,
        sentPages: count,
        bytes: count,
        durationNs: ns,
        dirtyPages: count.describe('Dirty at its end.'),
      }),
    ),
    dirtyPages: count.nullable().describe('Dirty when somebody last looked.'),
  })
  .meta({ id: 'Progress', description: 'How far a migration has come.' });

export const migrationView = z
  .object({
    id: z.guid(),
    guest: z.string(),
    to: z.string(),
    state: z.enum(['waiting', 'running', ...outcomeSchema.options]),
    why: z.string().nullable(),
    createdAt: instant,
    startedAt: instant.nullable(),
    endedAt: instant.nullable(),
    pages: count,
    predicted: predictedSchema,
    progress: progress.nullable(),
    record: recordSchema.nullable().describe('null: it has not ended.'),
  })
  .meta({ id: 'Migration', description: 'A migration that was asked for.' });

export const experimentView = z
  .object({
    id: z.guid(),
    name: z.string(),
    describe: z.string(),
    world: z.enum(worldNames),
    state: z.enum(['waiting', 'running', 'completed', 'cancelled', 'failed']),
    why: z.string().nullable(),
    createdAt: instant,
    endedAt: instant.nullable(),
    runs: z.object({ done: count, all: count }),
    downtime: z
      .object({ medianNs: ns, p95Ns: ns })
      .nullable()
      .describe('Of the completed runs, once all have ended.'),
    progress: progress.nullable(),
  })
  .meta({ id: 'Experiment', description: 'An experiment that was asked for.' });

export const stateView = z
  .object({
    name: z.string(),
    version: z.string(),
    receives: z.string().describe('Where guests arrive, HOST:PORT.'),
    needsKey: z.boolean().describe('Whether calls that change something must bring a key.'),
    targetDowntimeNs: ns,
    peers: listOf(z.object({ name: z.string(), address: z.string() })),
    guests: listOf(guestView),
    cpu: cpuView,
    links: listOf(linkView),
    queues: listOf(queueView),
    migrations: listOf(migrationView),
    experiments: listOf(experimentView),
  })
  .meta({ id: 'State', description: 'Everything that the page shows.' });

const slice = z.object({ name: z.string(), startNs: ns, endNs: ns, processor: count });
const level = z.object({
  levelBytes: z.number(),
  depthBytes: count,
  sentBytes: count,
  reservedBytesPerSecond: z.number().nullable(),
});

export const healthView = z.object({ ok: z.literal(true) }).meta({ id: 'Health' });
export const readinessView = z.object({ ready: z.literal(true) }).meta({ id: 'Readiness' });

/** One of the server-sent events: its name, and its data once parsed. */
export const eventView = z
  .discriminatedUnion('event', [
    z.object({
      event: z.literal('first'),
      data: z.object({ value: z.union([migrationView, experimentView]) }),
    }),
    z.object({ event: z.literal('guests'), data: z.object({ value: listOf(guestView) }) }),
    z.object({ event: z.literal('links'), data: z.object({ value: listOf(linkView) }) }),
    z.object({ event: z.literal('migration'), data: z.object({ id: z.guid(), value: migrationView }) }),
    z.object({ event: z.literal('experiment'), data: z.object({ id: z.guid(), value: experimentView }) }),
    z.object({
      event: z.literal('pulse'),
      data: z.object({
        id: z.guid(),
        value: z.object({ now: ns, slices: z.array(slice), link: level.nullable() }),
      }),
    }),
  ])
  .meta({
    id: 'Event',
    description:
      'A server-sent event. first: how it stands when the stream of one migration or experiment begins. pulse: while a migration runs, who had a processor since the last one, and how full the bucket is.',
  });

export const refusal = z
  .object({
    error: z.string(),
    problems: z
      .array(z.object({ path: z.string(), expected: z.string(), found: z.string() }))
      .optional()
      .describe('All that is wrong with the request.'),
  })
  .meta({ id: 'Refusal', description: 'Why not.' });

export type GuestView = z.infer<typeof guestView>;
export type LinkView = z.infer<typeof linkView>;
export type QueueView = z.infer<typeof queueView>;
export type Progress = z.infer<typeof progress>;
export type MigrationView = z.infer<typeof migrationView>;
export type ExperimentView = z.infer<typeof experimentView>;
export type StateView = z.infer<typeof stateView>;
