import { z } from 'zod';
import {
  count,
  instant,
  listOf,
  ns,
  outcomeSchema,
  predictedSchema,
  recordSchema,
  reservationSchema,
  text,
  view,
} from './record-schema.ts';
import { plannedTarget, targetVerdict } from './target-schemas.ts';

/** What the API says of migrations. Keys may be added later. */
export const progress = view('Progress', 'How far a migration has come.', {
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
});

const spreadView = z.object({
  medianNs: ns,
  lowNs: ns,
  highNs: ns.describe('From lowNs to highNs lie the middle 95 %.'),
});

export const estimateView = view('Estimate', 'Migrations in virtual time, each with a seed of its own.', {
  runs: count,
  completed: count.describe('Of these, those that were completed: the times are theirs.'),
  downtime: spreadView.nullable(),
  total: spreadView.nullable(),
});

const promisesView = view('Promises', 'What was promised to a migration, and what of that was kept.', {
  kept: z.boolean().nullable().describe('Whether all of it was; null: nothing was promised.'),
  downtime: z
    .object({
      pages: count.describe('What was left to send when the guest was paused.'),
      boundNs: ns.describe('What sending so many pages does not exceed, however the sender’s budgets fall.'),
      measuredNs: ns.describe('What it took: memory and devices, without digests and the hand-over.'),
      marginNs: ns.describe('What the bound is above that; negative: it was exceeded.'),
      kept: z.boolean(),
    })
    .nullable()
    .describe('null: no CPU time is reserved for the sender, or the guest was not paused.'),
  cpu: listOf(
    z.object({
      server: text,
      periods: count,
      missedPeriods: count,
      missedByMachine: count,
      kept: z.boolean().describe('Through the scheduler it missed at most 5 % of its periods.'),
    }),
  ),
  link: z
    .object({
      grantedBytesPerSecond: z.number(),
      shortfalls: listOf(
        z.object({
          phase: z.enum(['live', 'stop']),
          reservedBytesPerSecond: z.number(),
          achievedBytesPerSecond: z.number(),
        }),
      ),
      isRevoked: z.boolean().describe('Some of it was taken back.'),
      kept: z.boolean(),
    })
    .nullable()
    .describe('null: nothing is reserved on a link of the configuration.'),
});

const figures = z.object({
  ...{ medianNs: ns, lowNs: ns, highNs: ns },
  interval: z
    .enum(['95 % of the median', 'least and most', 'middle 95 %'])
    .describe('What lowNs and highNs are: with fewer than six migrations, the least and the most.'),
});

const memory = figures.describe(
  'Of the part of the downtime that sends what is left, which virtual time has too.',
);

export const comparisonView = view(
  'Comparison',
  'Migrations with CPU reservations, beside the same without.',
  {
    guest: text,
    to: text,
    guaranteed: z.object({ migrations: listOf(z.guid()), downtime: figures, memory }),
    kept: count.describe('To so many of them all was kept that was promised.'),
    broken: count,
    unguaranteed: z
      .object({
        by: z.enum(['measurement', 'virtual time']),
        migrations: listOf(z.guid()).describe('Of virtual time: none.'),
        downtime: figures
          .nullable()
          .describe('null: virtual time has no hand-over, and so no whole downtime.'),
        memory,
      })
      .nullable()
      .describe('null: neither measured nor computed yet.'),
  },
);

export const migrationView = view('Migration', 'A migration that was asked for.', {
  id: z.guid(),
  guest: text,
  to: text,
  state: z.enum(['waiting', 'running', ...outcomeSchema.options]),
  why: text.nullable(),
  createdAt: instant,
  startedAt: instant.nullable(),
  endedAt: instant.nullable(),
  pages: count,
  predicted: predictedSchema,
  progress: progress.nullable(),
  record: recordSchema.nullable().describe('null: it has not ended.'),
  target: plannedTarget.nullable().describe('null: it was asked for with reservations of its own.'),
  targetVerdict: targetVerdict
    .nullable()
    .describe('null: it has no target, has not ended, or was cancelled.'),
  promises: promisesView.nullable().describe('null: it has not ended.'),
  unguaranteed: estimateView
    .nullable()
    .describe(
      'The same without its CPU reservations, in virtual time; null: it has none, or not computed yet.',
    ),
  log: listOf(z.object({ at: instant, line: text })).describe('What was written of it in the log.'),
});

const reservable = z.object({
  reservableProcessors: z.number(),
  reservedProcessors: z.number(),
  leftProcessors: z.number().describe('Once the migration has its part.'),
});

export const predictionView = view(
  'Prediction',
  'What a migration would come to, if it were asked for now. Nothing is reserved.',
  {
    guest: text,
    to: text,
    target: plannedTarget.nullable().describe('null: it was asked for with reservations of its own.'),
    predicted: predictedSchema,
    estimate: estimateView.nullable().describe('In virtual time; null: nothing limits how fast pages leave.'),
    unguaranteed: estimateView.nullable().describe('The same without CPU reservations; null: it has none.'),
    reserves: z.object({
      cpu: listOf(z.object({ holder: z.enum(['guest', 'sender']), reservation: reservationSchema })),
      linkBytesPerSecond: z.number().nullable().describe('null: it goes over no link of the configuration.'),
    }),
    left: z.object({
      cpu: reservable,
      link: z
        .object({
          name: text,
          capacityBytesPerSecond: z.number(),
          reservedBytesPerSecond: z.number(),
          leftBytesPerSecond: z.number().describe('Once the migration has its part.'),
        })
        .nullable(),
    }),
    begins: z.enum(['at once', 'later', 'never']),
    why: text.nullable().describe('For what it would wait, or why it would never begin.'),
    leftOut: listOf(text).describe('What the figures do not contain.'),
  },
);

export type Progress = z.infer<typeof progress>;
export type MigrationView = z.infer<typeof migrationView>;
export type EstimateView = z.infer<typeof estimateView>;
export type PromisesView = z.infer<typeof promisesView>;
export type ComparisonView = z.infer<typeof comparisonView>;
export type PredictionView = z.infer<typeof predictionView>;
