import { z } from 'zod';
import { count, instant, listOf, ns, text, view } from './record-schema.ts';

/** What the API says of machines whose migrations others carry out. */

const quantiles = (of: string) =>
  z
    .object({ p5: z.number(), p10: z.number(), p50: z.number(), p90: z.number(), p95: z.number() })
    .nullable()
    .describe(`${of}: the median, and what holds 80 and 90 %.`);

const predicted = z.object({
  knownAtNs: ns.nullable(),
  syncs: count.nullable(),
  endsByItself: z.number().nullable().describe('The probability; null: nothing is known of its writes yet.'),
  within: z.record(z.string(), z.number()).nullable().describe('The probability that it ends so soon.'),
  totalNs: quantiles('Its total time, of the courses in which it ends'),
  downtimeNs: quantiles('Its downtime'),
  throttle: z.object({ autoConverge: z.boolean().nullable(), percent: quantiles('Of auto-converge') }),
  leftOut: listOf(text).describe('What the figures do not contain.'),
});

const firstPredicted = z
  .object({
    atNs: ns.describe('Since it began.'),
    endsByItself: z.number(),
    totalNs: quantiles('Its total time'),
    downtimeNs: quantiles('Its downtime'),
  })
  .nullable()
  .describe('What was predicted as soon as anything was; null: nothing.');

const watchedProgress = z.object({
  startedAt: instant,
  atNs: ns.describe('Since it began.'),
  status: text,
  leftBytes: z.number().nullable(),
  sentBytes: z.number().nullable(),
  rateBytesPerSecond: z.number().nullable().describe('On the link, over the last seconds.'),
  dirtyBytesPerSecond: z.number().nullable().describe('Between its last two syncs, as QEMU says it.'),
  syncs: z.number().nullable().describe('How often dirty pages were looked for.'),
  throttlePercent: z.number().nullable(),
  expectedDowntimeNs: ns.nullable().describe('QEMU’s own.'),
  predicted: predicted.nullable().describe('null: it is no pre-copy any more.'),
  firstPredicted,
});

const watchedMigration = view('WatchedMigration', 'A migration of somebody else that has ended.', {
  startedAt: instant,
  endedAt: instant,
  outcome: z
    .enum(['completed', 'failed', 'cancelled', 'unknown'])
    .describe('unknown: QEMU ended first, or could not be asked any more.'),
  totalNs: ns.nullable().describe('As QEMU says it; null: it was not completed.'),
  downtimeNs: ns.nullable().describe('As QEMU says it; null: it was not completed.'),
  sentBytes: z.number().nullable(),
  syncs: z.number().nullable(),
  reason: text.nullable(),
  firstPredicted,
});

const watched = {
  name: text,
  socket: text.describe('Of its monitor.'),
  state: z
    .enum(['connecting', 'idle', 'migrating', 'unreachable'])
    .describe('unreachable: its monitor cannot be asked, and is tried again every second.'),
  why: text.nullable().describe('Why it cannot be asked.'),
  status: text.nullable().describe('QEMU’s word for its latest migration; none: it had none.'),
  progress: watchedProgress.nullable().describe('null: no migration goes on.'),
  last: watchedMigration.nullable().describe('The last one that was seen to end.'),
};

export const watchedView = view(
  'WatchedMachine',
  'A QEMU of somebody else, whose migrations are followed.',
  watched,
);

export const watchedMachineView = view('WatchedMachineWithPast', 'The same, with what was seen of it.', {
  ...watched,
  course: listOf(z.object({ atNs: ns, leftBytes: z.number() })).describe(
    'What was left of the migration that goes on, or of the last one.',
  ),
  migrations: listOf(watchedMigration).describe('Those that were seen to end, the latest first.'),
});

export type WatchedView = z.infer<typeof watchedView>;
export type WatchedMachineView = z.infer<typeof watchedMachineView>;
export type WatchedMigration = z.infer<typeof watchedMigration>;
export type WatchedProgress = z.infer<typeof watchedProgress>;
