import { z } from 'zod';
import { whole } from '../../scenario/quantity.ts';

/** `sweep:` of a scenario file. Every message completes the sentence "expected …". */
const bound = z.union([z.number(), z.string()], 'a number or a quantity such as 10Mbit/s');

const range = {
  from: bound.describe('Where the range begins: a number or a quantity with its unit.'),
  to: bound.describe('Where it ends, in a unit of the same kind.'),
  scale: z
    .enum(['linear', 'log'], 'linear or log')
    .default('linear')
    .describe('How its values are spread: by equal differences or by equal ratios.'),
};

const values = z
  .array(z.unknown())
  .min(1, 'a list of at least one value')
  .meta({ title: 'Values', description: 'A list of values.' });

const atSteps = z
  .strictObject(
    { ...range, steps: whole(2, 1_000_000).describe('How many values of the range, its ends included.') },
    'a list of values, or a range: { from, to, steps }',
  )
  .meta({ title: 'Range in steps', description: 'Values at equal distances.' });
const between = z
  .strictObject(range, 'a list of values, or a range: { from, to }')
  .meta({ title: 'Range', description: 'Any value between two.' });

const paths = 'paths with lists of values or ranges';

const hypercube = z
  .strictObject(
    {
      points: whole(1, 1_000_000).describe('How many points.'),
      over: z
        .record(z.string(), z.union([values, between], 'a list of values, or a range: { from, to }'), paths)
        .describe('Paths of the scenario with lists of values or ranges, over which the points are spread.'),
    },
    'a hypercube: { points, over }',
  )
  .meta({ title: 'Hypercube', description: 'A Latin hypercube: points spread evenly over every path.' });

const until = z
  .strictObject(
    {
      interval: z
        .number('a share of the median, such as 0.02')
        .positive('a share of the median above 0')
        .max(1, 'a share of the median, at most 1')
        .describe(
          'A share of the median downtime, from 0 to 1: its 95 % interval is to be narrower than that.',
        ),
      most: whole(6, 1_000_000).describe('The most repetitions of a cell.'),
    },
    'when to stop repeating: { interval, most }',
  )
  .meta({ title: 'Repetitions', description: 'After `runs` repetitions, when to stop repeating a cell.' });

export const sweepSchema = z
  .strictObject(
    {
      grid: z
        .record(
          z.string(),
          z.union([values, atSteps], 'a list of values, or a range: { from, to, steps }'),
          paths,
        )
        .default({})
        .describe('Paths of the scenario with lists of values or ranges: every combination.'),
      hypercube: hypercube.optional().describe('Points spread over ranges. Without it: none.'),
      list: z
        .array(z.record(z.string(), z.unknown(), 'a point: { path: value, … }'), 'a list of points')
        .min(1, 'a list of at least one point')
        .optional()
        .describe('Points named one by one: paths of the scenario with their values. Without it: none.'),
      until: until
        .optional()
        .describe('When to stop repeating a cell. Without it: after `runs` repetitions.'),
    },
    'a sweep: { grid, hypercube, list, until }',
  )
  .meta({ title: 'Sweep', description: 'What `switchover sweep` carries out, each with all of `compare`.' });

export type SweepDocument = z.infer<typeof sweepSchema>;
