import { z } from 'zod';
import { object } from '../../scenario/object-schema.ts';
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

const asSteps = 'a list of values, or a range: { from, to, steps }';
const atSteps = object('Range in steps', 'Values at equal distances.', asSteps, {
  ...range,
  steps: whole(2, 1_000_000).describe('How many values of the range, its ends included.'),
});

const asRange = 'a list of values, or a range: { from, to }';
const between = object('Range', 'Any value between two.', asRange, range);

export type RangeDocument = z.infer<typeof between>;

const paths = 'paths with lists of values or ranges';

const hypercube = object(
  'Hypercube',
  'A Latin hypercube: points spread evenly over every path.',
  'a hypercube: { points, over }',
  {
    points: whole(1, 1_000_000).describe('How many points.'),
    over: z
      .record(z.string(), z.union([values, between], asRange), paths)
      .describe('Paths of the scenario with lists of values or ranges, over which the points are spread.'),
  },
);

const until = object(
  'Repetitions',
  'After `runs` repetitions, when to stop repeating a cell.',
  'when to stop repeating: { interval, most }',
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
);

export type Until = z.infer<typeof until>;

export const sweepSchema = object(
  'Sweep',
  'What `switchover sweep` carries out, each with all of `compare`.',
  'a sweep: { grid, hypercube, list, until }',
  {
    grid: z
      .record(z.string(), z.union([values, atSteps], asSteps), paths)
      .default({})
      .describe('Paths of the scenario with lists of values or ranges: every combination.'),
    hypercube: hypercube.optional().describe('Points spread over ranges. Without it: none.'),
    list: z
      .array(z.record(z.string(), z.unknown(), 'a point: { path: value, … }'), 'a list of points')
      .min(1, 'a list of at least one point')
      .optional()
      .describe('Points named one by one: paths of the scenario with their values. Without it: none.'),
    until: until.optional().describe('When to stop repeating a cell. Without it: after `runs` repetitions.'),
  },
);

export type SweepDocument = z.infer<typeof sweepSchema>;
