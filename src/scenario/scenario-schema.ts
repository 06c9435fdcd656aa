import { z } from 'zod';
import { DEEPEST_BUCKET_BYTES } from '../core/link/bucket.ts';
import { type OrderName, orderNames, orderRegistry } from '../core/migration/order/orders.ts';
import { expected, formatSize, parseDuration, parseSize } from '../core/units.ts';
import { HEADER_BYTES } from '../core/wire/frames.ts';
import { backgroundSchema } from './background.ts';
import { cpuSchema, cpuTime, reservationSchema } from './cpu.ts';
import { changesSchema, definiteRate, fleetSchema } from './fleet.ts';
import { programSchema } from './program.ts';
import { noneOr, quantity, whole } from './quantity.ts';
import { stopSchema } from './stop.ts';
import { qemuSchema, vmSchema } from './vm.ts';

/**
 * The scenario file. Every message completes the sentence "expected …". Only `guest.pages`, `guest.program` and
 * `link.rate` are required.
 */
const duration = quantity(parseDuration, expected.duration);
const someTime = quantity(parseDuration, `${expected.duration} above 0`, (ns) => ns > 0);
const size = quantity(parseSize, expected.size);
const rate = z.union(
  [z.literal('unlimited').transform(() => null), definiteRate],
  `${expected.rate}, or unlimited`,
);
const probability = z
  .number('a probability from 0 to 1')
  .min(0, 'a probability from 0 to 1')
  .max(1, 'a probability from 0 to 1');

export const guestSchema = z.strictObject(
  {
    name: z.string('a name').max(200, 'a name of at most 200 characters').default('guest'),
    pages: whole(2),
    zeroPages: whole(0).default(0),
    pageSize: quantity(
      parseSize,
      'a page size that is a power of two from 512B to 1MiB',
      (bytes) => bytes >= 512 && bytes <= 2 ** 20 && (bytes & (bytes - 1)) === 0,
    ).default(4096),
    program: programSchema,
    heartbeat: someTime.default(10e6),
    cpuPerWrite: cpuTime.default(0),
    reservation: noneOr(reservationSchema),
  },
  'a guest: { pages, program, … }',
);

const link = z.strictObject(
  {
    name: z.string('a name').max(200, 'a name of at most 200 characters').default('link'),
    capacity: definiteRate.optional(),
    changes: changesSchema,
    rate,
    stopRate: rate.optional(),
    least: definiteRate.optional(),
    depth: quantity(
      parseSize,
      `a size of at most ${formatSize(DEEPEST_BUCKET_BYTES)}`,
      (bytes) => bytes > 0 && bytes <= DEEPEST_BUCKET_BYTES,
    ).optional(),
    overhead: size.default(HEADER_BYTES),
  },
  'a link: { rate, … }',
);

const deferMessage = 'none, { threshold, window } or { count, window }';
const defer = z
  .strictObject(
    { threshold: probability.optional(), count: whole(0).optional(), window: someTime.default(40e6) },
    deferMessage,
  )
  .refine(({ threshold, count }) => (threshold === undefined) !== (count === undefined), deferMessage);

const clearMessage = 'page, round or chunk(pages)';
const clear = z.string(clearMessage).transform((text, context) => {
  if (text === 'page' || text === 'round') return text;
  const chunkPages = Number(/^chunk\((\d{1,10})\)$/.exec(text)?.[1]);
  if (chunkPages >= 1) return { chunkPages };
  context.addIssue({ code: 'custom', message: clearMessage });
  return z.NEVER;
});

const error = () => `an order: ${orderRegistry.names.join(', ')}`;
const registeredOrder = z.string().refine((name) => orderRegistry.find(name) !== undefined, { error });

/** Ours, for whoever reads the schema; and what is registered by the time that a scenario is checked. */
const order = z.union([z.enum(orderNames), registeredOrder as unknown as z.ZodType<OrderName>], { error });

const migration = z.strictObject(
  {
    observe: duration.default(4e9),
    window: someTime.default(40e6),
    halfLife: someTime.default(8e9),
    heat: z.enum(['estimated', 'known'], 'estimated or known').default('estimated'),
    order: order.default('threshold'),
    defer: noneOr(defer),
    clear: clear.prefault('page'),
    skip: z.boolean('true or false').default(false),
    stop: stopSchema.prefault({ rule: 'rounds' }),
    timeout: noneOr(someTime),
    stopTimeout: someTime.optional(),
    verify: z.enum(['checksums', 'full'], 'checksums or full').default('checksums'),
  },
  'a migration: { order, stop, … }',
);

const sender = z.strictObject(
  {
    reservation: noneOr(reservationSchema),
    cpuPerPage: cpuTime.default(0),
    cpuPerHandover: cpuTime.default(0),
  },
  'a sender: { reservation, cpuPerPage, cpuPerHandover }',
);

/** What a migration needs to be told beyond its guest. */
const migrationParts = {
  sender: sender.prefault({}),
  cpu: cpuSchema.prefault({}),
  background: backgroundSchema,
  link,
  fleet: fleetSchema,
  migration: migration.prefault({}),
};

export const migrationSchema = z.strictObject(
  migrationParts,
  'a migration: { link, migration, sender, cpu, background }',
);

export const scenarioSchema = z.strictObject({
  describe: z.string('a sentence').default(''),
  guest: guestSchema,
  ...migrationParts,
  vm: vmSchema,
  qemu: qemuSchema,
  runs: whole(1, 1_000_000).default(1),
  seed: whole(0, Number.MAX_SAFE_INTEGER).default(1),
});

export type GuestDocument = z.infer<typeof guestSchema>;
export type MigrationDocument = z.infer<typeof migrationSchema>;
export type ScenarioDocument = z.infer<typeof scenarioSchema>;
