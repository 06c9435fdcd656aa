import { z } from 'zod';
import { inputLimits } from '../core/input-limits.ts';
import { DirtyCount } from '../core/migration/asked/dirty-count.ts';
import { LumpedPages } from '../core/migration/lumped/lumped-pages.ts';
import type { MigrationResult } from '../core/migration/migration-result.ts';
import { PageSet } from '../core/migration/pages.ts';
import type { Plan } from '../core/migration/plan.ts';
import type { Step, StepResult } from '../core/migration/steps.ts';

/**
 * What a line of a trace must have for today's migration to read it; what it has besides is kept. Traces are files,
 * which are cut short, edited and mistaken for others.
 */
export type TraceLine =
  | { readonly plan: Plan }
  | { readonly step: Step; readonly seen: StepResult }
  | { readonly course: MigrationResult };

const positive = z.number().positive();
const notNegative = z.number().nonnegative();
const pages = z.int().min(1).max(inputLimits.guestPages);

const plan = z.looseObject({
  pages,
  pageBytes: positive,
  order: z.string(),
  heat: z.enum(['estimated', 'known']),
  defer: z.union([z.looseObject({ threshold: z.number() }), z.looseObject({ count: z.number() })]).nullable(),
  clear: z.union([z.enum(['page', 'round']), z.looseObject({ chunkPages: positive })]),
  skip: z.boolean(),
  stop: z.looseObject({ rule: z.string() }),
  timeoutNs: notNegative.nullable(),
  stopTimeoutNs: notNegative,
  rateBytesPerSecond: positive.nullable(),
  stopRateBytesPerSecond: positive.nullable(),
  depthBytes: notNegative,
  observeNs: notNegative,
  windowNs: positive,
  halfLifeNs: positive,
  verify: z.enum(['checksums', 'full']),
  device: z.looseObject({ stateBytes: notNegative, timeNs: notNegative }).optional(),
  seed: z.number(),
});

const pageSet = z
  .instanceof(PageSet)
  .refine((set) => pages.safeParse(set.pages).success, 'a set of at least one page')
  .refine((set) => set.words.length === Math.ceil(set.pages / 32), 'a bit for every page');

const stratum = z.looseObject({ pages, place: z.number(), isHeldBack: z.boolean() });

/** Of as many strata as there are counts of each kind. */
const lumpedPages = z
  .instanceof(LumpedPages)
  .refine(({ strata }) => z.array(stratum).min(1).safeParse(strata).success, 'a list of strata')
  .refine(
    ({ strata, owed, dirtyAgain, dirty }) =>
      [owed, dirtyAgain, dirty].every(
        (counts) =>
          counts instanceof Float64Array && counts.length === strata.length && counts.every(isCount),
      ),
    'three counts for every stratum',
  );

function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0;
}

/** What the migration reads of what the world's instruments saw. */
const seenOfLink = z.looseObject({
  roundTripNs: notNegative.nullable().optional(),
  lateNs: notNegative.optional(),
});
const measurements = z.looseObject({ link: seenOfLink, notes: z.array(z.string()) });
const comparison = z.enum(['identical', 'different', 'not-checked']);
/** Of a guest that runs at its destination: how its memory compared says how the migration has ended. */
const compared = measurements.extend({ verified: z.looseObject({ continued: comparison }) });
const now = z.number();

const seen = z.discriminatedUnion('kind', [
  z.looseObject({
    kind: z.literal('dirty'),
    now,
    dirty: z.union([pageSet, lumpedPages, z.instanceof(DirtyCount)]),
    windowNs: notNegative,
  }),
  z.looseObject({
    ...{ kind: z.literal('watched'), now },
    windows: z.looseObject({
      lengthsNs: z.instanceof(Float64Array),
      pages: z.instanceof(Uint32Array),
      seen: z.instanceof(Uint32Array),
    }),
  }),
  z.looseObject({
    kind: z.literal('learned'),
    now,
    rates: z.looseObject({
      writesPerSecond: z.instanceof(Float64Array),
      classOf: z.instanceof(Uint8Array).optional(),
    }),
  }),
  z.looseObject({
    ...{ kind: z.literal('sent'), now },
    ...{ sentPages: notNegative, zeroPages: notNegative, bytes: notNegative },
    underWayBytes: notNegative.optional(),
    cleanPages: notNegative.optional(),
  }),
  z.looseObject({ kind: z.literal('done'), now }),
  z.looseObject({
    ...{ kind: z.literal('handed over'), now, measurements: compared },
    ...{ readyAtNs: now, verifiedAtNs: now, committedAtNs: now, runningAtNs: now },
    lateNs: notNegative.optional(),
  }),
  z.looseObject({
    ...{ kind: z.literal('aborted'), now, measurements },
    owner: z.enum(['source', 'destination', 'nobody']),
  }),
  z.looseObject({
    ...{ kind: z.literal('failed'), now, why: z.string() },
    outcome: z.enum(['cancelled', 'aborted']).optional(),
    pausedSince: now.optional(),
  }),
]);

const lines = {
  plan: z.strictObject({ plan }),
  course: z.strictObject({ course: z.looseObject({}) }),
  step: z.strictObject({ step: z.looseObject({ kind: z.string() }), seen }),
};

/** @returns what is wrong with it: nothing, if it is a line of a trace */
export function wrongInLine(value: unknown): string | undefined {
  const found = Object.entries(lines).find(([key]) => typeof value === 'object' && key in (value ?? {}));
  if (!found) return 'none of plan, step and course';
  const { error } = found[1].safeParse(value);
  const issue = error?.issues[0];
  return issue && `${issue.path.map(String).join('.')}: ${issue.message}`;
}
