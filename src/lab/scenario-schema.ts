import { z } from 'zod';
import { DEEPEST_BUCKET_BYTES } from '../core/link/bucket.ts';
import { orderNames } from '../core/migration/order/orders.ts';
import { expected, formatSize, parseDuration, parseRate, parseSize } from '../core/units.ts';
import { HEADER_BYTES } from '../core/wire/frames.ts';

/**
 * The scenario file. Every message completes the sentence "expected …". Only `guest.pages`, `guest.program` and
 * `link.rate` are required.
 */
function quantity(
  parse: (text: string) => number | undefined,
  message: string,
  holds: (value: number) => boolean = () => true,
) {
  return z.unknown().transform((value, context): number => {
    const parsed = typeof value === 'string' || typeof value === 'number' ? parse(String(value)) : undefined;
    if (parsed !== undefined && holds(parsed)) return parsed;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

const duration = quantity(parseDuration, expected.duration);
const someTime = quantity(parseDuration, `${expected.duration} above 0`, (ns) => ns > 0);
const size = quantity(parseSize, expected.size);
const definiteRate = quantity(parseRate, expected.rate);
const rate = z.union(
  [z.literal('unlimited').transform(() => null), definiteRate],
  `${expected.rate}, or unlimited`,
);

function whole(least: number, most = 2 ** 32 - 1) {
  const message = `a whole number from ${least} to ${most}`;
  return z.int(message).min(least, message).max(most, message);
}

const writesPerSecond = z
  .number('a number of writes a second')
  .nonnegative('a number of writes a second, 0 or more');
const probability = z
  .number('a probability')
  .min(0, 'a probability from 0 to 1')
  .max(1, 'a probability from 0 to 1');

const program = z.discriminatedUnion(
  'kind',
  [
    z.strictObject({
      kind: z.literal('classes'),
      classes: z
        .array(z.strictObject({ pages: whole(1), writesPerSecond }), 'a list of classes')
        .min(1, 'at least one class'),
    }),
    z.strictObject({
      kind: z.literal('sequential'),
      pages: whole(1).optional(),
      writesPerSecond: writesPerSecond.positive('a number of writes a second above 0'),
    }),
    z.strictObject({
      kind: z.literal('stream'),
      frame: someTime.default(40e6),
      cpuPerFrame: duration.default(4e6),
      pagesPerFrame: whole(1).default(60),
      buffers: whole(1).default(600),
    }),
    z.strictObject({ kind: z.literal('trace'), file: z.string('the path of a recording') }),
  ],
  'a program: { kind: classes | sequential | stream | trace, … }',
);

const guest = z.strictObject(
  {
    name: z.string('a name').max(200, 'a name of at most 200 characters').default('guest'),
    pages: whole(2),
    pageSize: quantity(
      parseSize,
      'a page size that is a power of two from 512B to 1MiB',
      (bytes) => bytes >= 512 && bytes <= 2 ** 20 && (bytes & (bytes - 1)) === 0,
    ).default(4096),
    program,
    heartbeat: someTime.default(10e6),
  },
  'a guest: { pages, program, … }',
);

const link = z.strictObject(
  {
    capacity: definiteRate.optional(),
    rate,
    stopRate: rate.optional(),
    depth: quantity(
      parseSize,
      `a size of at most ${formatSize(DEEPEST_BUCKET_BYTES)}`,
      (bytes) => bytes > 0 && bytes <= DEEPEST_BUCKET_BYTES,
    ).optional(),
    overhead: size.default(HEADER_BYTES),
  },
  'a link: { rate, … }',
);

/** Without a name the rule is the paper's. */
const stop = z.preprocess(
  (value) =>
    typeof value === 'object' && value !== null && !('rule' in value) ? { rule: 'rounds', ...value } : value,
  z.discriminatedUnion(
    'rule',
    [z.strictObject({ rule: z.literal('rounds'), rounds: whole(1, 10_000).default(1) })],
    'a stop rule: { rule: rounds, rounds }',
  ),
);

const migration = z.strictObject({
  observe: duration.default(4e9),
  window: someTime.default(40e6),
  halfLife: someTime.default(8e9),
  heat: z.enum(['estimated', 'known'], 'estimated or known').default('estimated'),
  order: z.enum(orderNames, `an order: ${orderNames.join(', ')}`).default('address'),
  defer: z.preprocess(
    (value) => (value === 'none' ? undefined : value),
    z
      .strictObject(
        { threshold: probability, window: someTime.default(40e6) },
        'none, or { threshold, window }',
      )
      .optional(),
  ),
  clear: z.literal('page', 'page').default('page'),
  stop: stop.prefault({ rule: 'rounds' }),
  verify: z.enum(['checksums', 'full'], 'checksums or full').default('checksums'),
});

export const scenarioSchema = z.strictObject({
  describe: z.string('a sentence').default(''),
  guest,
  link,
  migration: migration.prefault({}),
  runs: whole(1, 1_000_000).default(1),
  seed: whole(0, Number.MAX_SAFE_INTEGER).default(1),
});

export type ScenarioDocument = z.infer<typeof scenarioSchema>;
