import { z } from 'zod';
import { schedulers } from '../core/cpu/cpu-plan.ts';
import { outcomes } from '../core/migration/migration-result.ts';
import type { OrderName } from '../core/migration/order/orders.ts';
import type { MigrationRecord } from '../core/migration/record.ts';
import type { StopSpec } from '../core/migration/stop/stops.ts';

/** The record of a migration as JSON, for those who read it. Units are last in a name; keys may be added later. */
export const count = z.int().min(0);
export const ns = z.number();
export const text = z.string();
export const instant = z.iso.datetime();
const bytes = z.int();
const rate = z.number().nullable();
const share = z.number();

/** Any number of something, which whoever is given them leaves as they are. */
export function listOf<T>(schema: z.ZodType<T>): z.ZodType<readonly T[]> {
  return z.array(schema);
}

/** Several keys of which the same is said. */
export function each<Schema extends z.ZodType, Key extends string>(schema: Schema, ...keys: readonly Key[]) {
  return Object.fromEntries(keys.map((key) => [key, schema])) as Readonly<Record<Key, Schema>>;
}

/** An object that is answered, under a name of its own. Keys may be added later. */
export function view<const Shape extends z.ZodRawShape>(id: string, description: string, shape: Shape) {
  return z.object(shape).meta({ id, description });
}

export const reservationSchema = view('CpuReservation', 'A budget of CPU time in every period.', {
  budgetNs: ns.describe('Q.'),
  periodNs: ns.describe('P.'),
});

const stop = z
  .looseObject({ rule: z.string() })
  .describe('The stop rule with its parameters.') as unknown as z.ZodType<StopSpec>;

const plan = view('Plan', 'The policy, everything resolved.', {
  pages: count,
  pageBytes: bytes.describe('P + H: what a page costs on the link, its header included.'),
  order: z.string() as unknown as z.ZodType<OrderName>,
  heat: z.enum(['estimated', 'known']),
  defer: z.union([z.object({ threshold: share }), z.object({ count })]).nullable(),
  clear: z.union([z.enum(['page', 'round']), z.object({ chunkPages: count })]),
  skip: z.boolean(),
  stop,
  timeoutNs: ns.nullable().describe('null: there is none.'),
  timeoutFrom: z.string().optional().describe('Where the time-out comes from; not there: there is none.'),
  onTimeout: z.enum(['cancel', 'stop']).optional().describe('Not there: cancel.'),
  isElastic: z
    .boolean()
    .optional()
    .describe('Nothing is reserved: b and b_d are the capacity, of which the ledger gives a part.'),
  rateBytesPerSecond: rate.describe('b; null: not reserved.'),
  stopRateBytesPerSecond: rate.describe('b_d; null: not reserved.'),
  depthBytes: bytes,
  ...each(ns, 'stopTimeoutNs', 'observeNs', 'windowNs', 'halfLifeNs'),
  verify: z.enum(['checksums', 'full']),
  device: z
    .object({ stateBytes: bytes, timeNs: ns })
    .optional()
    .describe('What every stop takes beyond pages. Not there: nothing.'),
  seed: z.int(),
});

const admission = view('Admission', 'How the migration got its reservation of the link.', {
  capacityBytesPerSecond: z.number(),
  priority: z.int(),
  ...each(ns, 'askedAtNs', 'waitedNs', 'releasedAtNs'),
  grantedBytesPerSecond: z
    .number()
    .describe('max(b, b_d) when it was admitted, or an elastic migration’s part then; 0: it was not.'),
  revocations: z
    .array(z.object({ atNs: ns, rateBytesPerSecond: z.number() }))
    .describe('From an instant on so much; 0: nothing, for good or in an outage.'),
});

const outage = view('Outage', 'What the guest’s client saw.', {
  longestGapNs: ns,
  ...each(count, 'lostHeartbeats', 'repeatedHeartbeats', 'heartbeats'),
  lateHeartbeats: count.describe('Sent more than a period after they were due.'),
});

const shareError = z.object({ median: share, p99: share }).nullable();

const server = view('ServerRecord', 'What a CPU reservation was promised and given.', {
  name: z.string(),
  ...each(ns, 'budgetNs', 'periodNs', 'servedNs'),
  ...each(shareError, 'shareErrorPerPeriod', 'shareErrorPerTenPeriods'),
  shareErrorPerSecond: share.nullable(),
  ...each(count, 'periods', 'missedPeriods'),
  missedByMachine: count.describe('Of the missed, those in which the machine itself was stalled.'),
  longestBlackoutNs: ns.describe('The longest time without service while it had work.'),
});

const link = view('LinkRecord', 'What left over the link.', {
  reservedBytesPerSecond: rate,
  ...each(bytes, 'depthBytes', 'sentBytes'),
  worstExcessBytes: z.number().nullable().describe('Beyond the reservation; at most 0 when it held.'),
  windows: z.array(z.object({ windowNs: ns, mostBytes: bytes, allowedBytes: z.number().nullable() })),
  utilisation: share.nullable(),
  longestLatenessNs: ns,
  lateNs: ns.describe('For so long in all the sender came too late for tokens that a full bucket then lost.'),
  roundTripNs: ns
    .nullable()
    .describe('The shortest, at the handshake and after each round; null: not measured.'),
  encryption: z
    .object({
      kind: z.enum(['none', 'psk', 'certificate']),
      protocol: z.string().nullable(),
      cipher: z.string().nullable(),
    })
    .describe('From a shared key (psk) or certificates; none: not encrypted.'),
});

const round = z.object({
  ...each(count, 'round', 'dirtyPages', 'sentPages', 'deferredPages', 'skippedPages', 'zeroPages'),
  bytes,
  durationNs: ns,
});

const memory = z.enum(['identical', 'different', 'not-checked']);

export const outcomeSchema = z.enum(outcomes);

const said = z.array(z.string()).readonly();

export const predictedSchema = z
  .object({
    ...each(ns, 'downtimeNs', 'downtimeP99Ns', 'totalNs'),
    downtimeBoundNs: ns
      .optional()
      .describe(
        'What the stop does not exceed with probability 0.99 however the sender’s budgets fall. Not there: no CPU time is reserved for the sender.',
      ),
    assumes: said.optional().describe('What the model simplifies.'),
    leftOut: said
      .optional()
      .describe('What the scenario says and the figures do not depend on, by its keys.'),
  })
  .nullable()
  .describe('What the model said beforehand; null: it cannot.');

const environment = view('Environment', 'What made the record: program, machine, scenario.', {
  version: z.string().describe('Of switchover.'),
  ...each(z.string(), 'node', 'kernel', 'processor'),
  scenarioDigest: z.string().describe('SHA-256 of what ran, defaults included and without seeds.'),
  machineProfile: z
    .object({ name: z.string(), sha256: z.string() })
    .nullable()
    .describe('Whose costs virtual time and the model added; null: nobody’s.'),
});

const keptForThreads = z.object({
  of: z.enum(['guest', 'sender']),
  ...each(ns, 'budgetNs', 'periodNs'),
  by: z.enum(['SCHED_DEADLINE', 'cpu.max', 'cpu.cfs_quota_us']),
  whyNot: z.string().nullable().describe('Why SCHED_DEADLINE could not be had; null: it was.'),
  threads: count.describe('Each of them has the whole budget.'),
  usedNs: ns.describe('CPU time that they used in the window, together.'),
  windowNs: ns,
});

const fidelity = view(
  'Fidelity',
  'What of its plan a migration of somebody else’s machine could not do exactly.',
  {
    mode: z
      .enum(['pull', 'pass'])
      .describe('pull: pages were asked for in the plan’s order; pass: they came in QEMU’s own.'),
    ...each(count, 'unaskedPages', 'outOfPlacePages', 'neverSentPages', 'inFlightPages'),
    ruleToStopNs: ns.nullable().describe('From the rule to the stop; null: it was not stopped.'),
    deviceBytes: bytes.describe('Sent at b_d after the pages.'),
    reservations: z
      .array(keptForThreads)
      .optional()
      .describe('By what the kernel kept CPU reservations. Not there up to version 0.2.'),
  },
);

export const recordSchema: z.ZodType<MigrationRecord> = view(
  'MigrationRecord',
  'What came of a migration. Times in ns, sizes in bytes; keys may be added.',
  {
    schema: z.literal('switchover.record/1'),
    world: z.string(),
    scenario: z.string(),
    seed: z.int(),
    startedAt: z.string().describe('ISO 8601; the epoch in virtual time.'),
    guest: z.object({
      name: z.string(),
      pages: count,
      pageSizeBytes: bytes,
      recordingStartNs: ns
        .optional()
        .describe('Of one that replays a recording: the instant of it at which the guest began.'),
    }),
    plan,
    reservations: z.object({
      ...each(reservationSchema.nullable(), 'guest', 'sender'),
      scheduler: z.enum(schedulers),
      ...each(count, 'processors', 'hogs'),
      ...each(ns, 'cpuPerPageNs', 'cpuPerHandoverNs'),
    }),
    antagonists: z.array(z.looseObject({ kind: z.string() })) as unknown as z.ZodType<
      MigrationRecord['antagonists']
    >,
    admission: admission
      .nullable()
      .describe('null: nobody else could want any of the link, or who keeps it was not reached.'),
    machine: z
      .object({ name: z.string(), sha256: z.string(), world: z.enum(['threads', 'vm']) })
      .optional()
      .describe('The machine profile whose costs virtual time and the model added. Not there: none.'),
    predicted: predictedSchema,
    outcome: outcomeSchema,
    reason: z.string(),
    owner: z.enum(['source', 'destination', 'nobody']),
    rounds: z.array(round),
    stop: z.object({ pages: count, bytes, durationNs: ns }),
    achieved: z
      .object(each(rate, 'liveBytesPerSecond', 'stopBytesPerSecond'))
      .optional()
      .describe('At what rate bytes arrived, beside what was reserved. null: too few to tell.'),
    ...each(ns, 'downtimeNs', 'totalNs'),
    downtimeParts: z
      .object({
        ...each(ns, 'dirtyScanNs', 'memoryNs', 'deviceNs', 'stateNs', 'verifyNs', 'commitNs', 'resumeNs'),
        lookNs: ns.meta({ deprecated: true, description: 'The former name of dirtyScanNs: the same time.' }),
      })
      .describe('They add up to the downtime, lookNs aside.'),
    outage: outage.nullable(),
    verified: z.object(each(memory, 'memory', 'continued')),
    servers: z.array(server),
    link,
    fidelity: fidelity.optional(),
    notes: z.array(z.string()),
    environment: environment.optional().describe('Not there up to version 0.1.'),
  },
);
