import { z } from 'zod';
import { whole } from '../../scenario/quantity.ts';

/** `sweep:` of a scenario file. Every message completes the sentence "expected …". */
const bound = z.union([z.number(), z.string()], 'a number or a quantity such as 10Mbit/s');

const range = {
  from: bound,
  to: bound,
  scale: z.enum(['linear', 'log'], 'linear or log').default('linear'),
};

const values = z.array(z.unknown()).min(1);
const steps = whole(2, 1_000_000);
const atSteps = z.strictObject({ ...range, steps }, 'a list of values, or a range: { from, to, steps }');
const between = z.strictObject(range, 'a list of values, or a range: { from, to }');

/** A list is told from a range by its brackets, so that what is wrong is said of the one that was meant. */
function listOr<Schema extends z.ZodType>(schema: Schema) {
  return z.unknown().transform((value, context): z.infer<Schema> | readonly unknown[] => {
    const parsed = (Array.isArray(value) ? values : schema).safeParse(value);
    if (parsed.success) return parsed.data as z.infer<Schema> | readonly unknown[];
    for (const issue of parsed.error.issues) {
      const message = Array.isArray(value) ? 'a list of at least one value' : issue.message;
      const { path } = issue;
      if (issue.code === 'unrecognized_keys') context.addIssue({ ...issue, path } as never);
      else context.addIssue({ code: 'custom', message, path });
    }
    return z.NEVER;
  });
}

const paths = 'paths with lists of values or ranges';

export const sweepSchema = z.strictObject(
  {
    grid: z.record(z.string(), listOr(atSteps), paths).default({}),
    hypercube: z
      .strictObject(
        { points: whole(1, 1_000_000), over: z.record(z.string(), listOr(between), paths) },
        'a hypercube: { points, over }',
      )
      .optional(),
    list: z
      .array(z.record(z.string(), z.unknown(), 'a point: { path: value, … }'), 'a list of points')
      .min(1, 'a list of at least one point')
      .optional(),
    until: z
      .strictObject(
        {
          interval: z
            .number('a share of the median, such as 0.02')
            .positive('a share of the median above 0')
            .max(1, 'a share of the median, at most 1'),
          most: whole(6, 1_000_000),
        },
        'when to stop repeating: { interval, most }',
      )
      .optional(),
  },
  'a sweep: { grid, hypercube, list, until }',
);

export type SweepDocument = z.infer<typeof sweepSchema>;
