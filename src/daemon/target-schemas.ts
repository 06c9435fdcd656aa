import { z } from 'zod';
import { targetMetrics } from '../scenario/target.ts';
import { reservedPaths } from '../study/plan/choice.ts';
import { count, listOf, ns, text, view } from './record-schema.ts';

/** What the API says of a target: what was planned for it, and whether it was kept. */
const clause = {
  metric: z.enum(targetMetrics),
  limitNs: ns,
  probability: z.number().describe('With which the limit is to be kept.'),
};

const shown = {
  runs: count,
  kept: count,
  lowerBound: z.number().describe('So much of all such migrations keep it at least, with this confidence.'),
};

export const plannedTarget = view('PlannedTarget', 'A target, and what a plan reserves to keep it.', {
  clauses: listOf(z.object(clause)).describe('All of them are to be kept.'),
  settings: z.record(text, z.unknown()).describe('What was chosen, by the keys of a request.'),
  expected: z.object({ downtimeNs: ns, totalNs: ns }).describe('Medians in virtual time.'),
  certificate: z.object({
    ...shown,
    confidence: z.number(),
    clauses: listOf(z.object({ ...clause, ...shown })),
    seeds: z
      .object({ first: count, count })
      .describe('Of these migrations; the search has used none of them.'),
  }),
  sensitivity: listOf(
    z.object({
      cut: z.enum(reservedPaths),
      ...{ from: text, to: text, runs: count, kept: count },
      missed: z.boolean().describe('Fewer keep the target than it asks for.'),
      incomplete: count.describe(
        'So many were not completed, as a rule because `migration.timeout` came first.',
      ),
      floor: text
        .nullable()
        .describe('Why no less is reserved though the target would be kept; null: the target decides.'),
    }),
  ).describe('What becomes of it with a tenth less of one reservation.'),
  migrations: count.describe('How many were computed in virtual time.'),
  leftOut: listOf(text).describe('What none of these figures knows.'),
});

export const targetVerdict = view('TargetVerdict', 'A migration, held against its target.', {
  kept: z.boolean().describe('All of it. A migration that was not completed has kept nothing.'),
  clauses: listOf(
    z.object({
      ...clause,
      measuredNs: ns.nullable().describe('null: it was not completed.'),
      marginNs: ns.nullable().describe('What the limit is above that; negative: it was exceeded.'),
      kept: z.boolean(),
    }),
  ),
});

export type PlannedTarget = z.infer<typeof plannedTarget>;
export type TargetVerdict = z.infer<typeof targetVerdict>;
