import { z } from 'zod';
import { schedulers } from '../core/cpu/cpu-plan.ts';
import type { ServerRecord } from '../core/cpu/server-record.ts';
import type { LinkRecord, MigrationResult, Outage } from '../core/migration/migration-result.ts';
import type { OrderName } from '../core/migration/order/orders.ts';
import type { Plan } from '../core/migration/plan.ts';
import type { Admission, MigrationRecord } from '../core/migration/record.ts';
import type { StopSpec } from '../core/migration/stop/stops.ts';

/** The record of a migration as JSON, for those who read it. Units are last in a name; keys may be added later. */
const count = z.int().min(0);
const ns = z.number();
const bytes = z.int();
const rate = z.number().nullable();
const share = z.number();

export const reservationSchema = z
  .object({ budgetNs: ns.describe('Q.'), periodNs: ns.describe('P.') })
  .meta({ id: 'CpuReservation', description: 'A budget of CPU time in every period.' });

const stop = z
  .looseObject({ rule: z.string() })
  .describe('The stop rule with its parameters.') as unknown as z.ZodType<StopSpec>;

const plan: z.ZodType<Plan> = z
  .object({
    pages: count,
    pageBytes: bytes.describe('P + H: what a page costs on the link, its header included.'),
    order: z.string() as unknown as z.ZodType<OrderName>,
    heat: z.enum(['estimated', 'known']),
    defer: z.union([z.object({ threshold: share }), z.object({ count })]).nullable(),
    clear: z.union([z.enum(['page', 'round']), z.object({ chunkPages: count })]),
    skip: z.boolean(),
    stop,
    timeoutNs: ns.nullable().describe('null: the stop rule ends by itself.'),
    stopTimeoutNs: ns,
    rateBytesPerSecond: rate.describe('b; null: not reserved.'),
    stopRateBytesPerSecond: rate.describe('b_d; null: not reserved.'),
    depthBytes: bytes,
    observeNs: ns,
    windowNs: ns,
    halfLifeNs: ns,
    verify: z.enum(['checksums', 'full']),
    seed: z.int(),
  })
  .meta({ id: 'Plan', description: 'The policy, everything resolved.' });

const admission: z.ZodType<Admission> = z
  .object({
    capacityBytesPerSecond: z.number(),
    priority: z.int(),
    askedAtNs: ns,
    waitedNs: ns,
    grantedBytesPerSecond: z.number().describe('max(b, b_d) when it was admitted; 0: it was not.'),
    releasedAtNs: ns,
    revocations: z
      .array(z.object({ atNs: ns, rateBytesPerSecond: z.number() }))
      .describe('From an instant on only so much; 0: nothing.'),
  })
  .meta({ id: 'Admission', description: 'How the migration got its reservation of the link.' });

const outage: z.ZodType<Outage> = z
  .object({
    longestGapNs: ns,
    lostHeartbeats: count,
    repeatedHeartbeats: count,
    heartbeats: count,
    lateHeartbeats: count.describe('Sent more than a period after they were due.'),
  })
  .meta({ id: 'Outage', description: 'What the guest’s client saw.' });

const shareError = z.object({ median: share, p99: share }).nullable();

const server: z.ZodType<ServerRecord> = z
  .object({
    name: z.string(),
    budgetNs: ns,
    periodNs: ns,
    servedNs: ns,
    shareErrorPerPeriod: shareError,
    shareErrorPerTenPeriods: shareError,
    shareErrorPerSecond: share.nullable(),
    missedPeriods: count,
    missedByMachine: count.describe('Of the missed, those in which the machine itself stood still.'),
    periods: count,
    longestBlackoutNs: ns.describe('The longest time without service while it had work.'),
  })
  .meta({ id: 'ServerRecord', description: 'What a CPU reservation was promised and given.' });

const link: z.ZodType<LinkRecord> = z
  .object({
    reservedBytesPerSecond: rate,
    depthBytes: bytes,
    sentBytes: bytes,
    worstExcessBytes: z.number().nullable().describe('Beyond the reservation; at most 0 when it held.'),
    windows: z.array(z.object({ windowNs: ns, mostBytes: bytes, allowedBytes: z.number().nullable() })),
    utilisation: share.nullable(),
    longestLatenessNs: ns,
  })
  .meta({ id: 'LinkRecord', description: 'What left over the link.' });

const memory = z.enum(['identical', 'different', 'not-checked']);

export const outcomeSchema = z.enum(['completed', 'not-converged', 'aborted', 'cancelled', 'failed']);

const result = {
  outcome: outcomeSchema,
  reason: z.string(),
  owner: z.enum(['source', 'destination', 'nobody']),
  rounds: z.array(
    z.object({
      round: count,
      dirtyPages: count,
      sentPages: count,
      deferredPages: count,
      skippedPages: count,
      zeroPages: count,
      bytes,
      durationNs: ns,
    }),
  ),
  stop: z.object({ pages: count, bytes, durationNs: ns }),
  downtimeNs: ns,
  downtimeParts: z
    .object({
      dirtyScanNs: ns,
      lookNs: ns.meta({ deprecated: true, description: 'The former name of dirtyScanNs: the same time.' }),
      memoryNs: ns,
      stateNs: ns,
      verifyNs: ns,
      commitNs: ns,
      resumeNs: ns,
    })
    .describe('They add up to the downtime, lookNs aside.'),
  totalNs: ns,
  outage: outage.nullable(),
  verified: z.object({ memory, continued: memory }),
  servers: z.array(server),
  link,
  notes: z.array(z.string()),
} satisfies { readonly [Key in keyof MigrationResult]: z.ZodType<MigrationResult[Key]> };

export const predictedSchema = z
  .object({ downtimeNs: ns, downtimeP99Ns: ns, totalNs: ns })
  .nullable()
  .describe('What the model said beforehand; null: it cannot.');

export const recordSchema: z.ZodType<MigrationRecord> = z
  .object({
    schema: z.literal('switchover.record/1'),
    world: z.string(),
    scenario: z.string(),
    seed: z.int(),
    startedAt: z.string().describe('ISO 8601; the epoch in virtual time.'),
    guest: z.object({ name: z.string(), pages: count, pageSizeBytes: bytes }),
    plan,
    reservations: z.object({
      guest: reservationSchema.nullable(),
      sender: reservationSchema.nullable(),
      scheduler: z.enum(schedulers),
      processors: count,
      cpuPerPageNs: ns,
      cpuPerHandoverNs: ns,
      hogs: count,
    }),
    antagonists: z.array(z.looseObject({ kind: z.string() })) as unknown as z.ZodType<
      MigrationRecord['antagonists']
    >,
    admission: admission.nullable().describe('null: nobody else could want any of the link.'),
    predicted: predictedSchema,
    ...result,
  })
  .meta({
    id: 'MigrationRecord',
    description: 'What came of a migration. Times in ns, sizes in bytes; keys may be added.',
  });
