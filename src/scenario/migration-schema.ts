import { z } from 'zod';
import { DEEPEST_BUCKET_BYTES } from '../core/link/bucket.ts';
import { type OrderName, orderNames, orderRegistry } from '../core/migration/order/orders.ts';
import { expected, formatSize } from '../core/units.ts';
import { HEADER_BYTES } from '../core/wire/frames.ts';
import { reservationSchema } from './cpu.ts';
import { definition, object } from './object-schema.ts';
import {
  duration,
  durationAboveZero,
  flag,
  freeName,
  noneOr,
  quantity,
  rate,
  rateOrZero,
  size,
  whole,
} from './quantity.ts';
import { stopSchema } from './stop.ts';

/** How a guest migrates, as a scenario writes it: over what link, by what policy, with what CPU time. */
const rateOrUnlimited = z.union(
  [z.literal('unlimited').transform(() => null), rate],
  `${expected.rate}, or unlimited`,
);

/** A migration that reserves nothing has its part of what is left. */
const rateInFleet = z.union(
  [z.literal('unlimited').transform(() => null), z.literal('elastic'), rate],
  `${expected.rate}, unlimited or elastic`,
);

const change = object('Change of the link', undefined, 'a change of the link: { at, capacity }', {
  at: duration.describe('When, a time after the first migration set out.'),
  capacity: rateOrZero.describe(
    'What the link can carry from then on; 0: nothing, an outage, in which migrations wait.',
  ),
}).transform(({ at: atNs, capacity: capacityBytesPerSecond }) => ({ atNs, capacityBytesPerSecond }));

const changes = z
  .array(change, 'a list of changes: [ { at, capacity }, … ]')
  .prefault([])
  .describe('When the capacity of the link changes, and to what.');

export const linkSchema = definition(
  'Scenario link',
  'The link, and what is reserved of it.',
  'a link: { rate, … }',
  {
    name: freeName(200)
      .default('link')
      .describe('What it is called: of one name is one link, also in a ledger that several processes share.'),
    capacity: rate
      .optional()
      .describe(
        'C, what all migrations over it may have reserved together. Without it: the link is not shared.',
      ),
    changes,
    latency: duration
      .prefault(0)
      .describe(
        'How long a byte is on its way, and as long an answer back, in virtual time and in the model: a round ends a round trip after its last page has left, and the guest runs one and a half after the last. A real link has its own, which the record says.',
      ),
    rate: rateInFleet.describe(
      'b, the rate reserved in the live rounds; unlimited: as fast as it goes; elastic: nothing is reserved, and migrations share in equal parts what reservations leave of `capacity`.',
    ),
    stopRate: rateOrUnlimited
      .optional()
      .describe('b_d, reserved while the guest is stopped. Without it: `rate`.'),
    least: rate
      .optional()
      .describe(
        'With how little it goes on if part of its reservation is revoked. Without it: all that it reserved.',
      ),
    depth: quantity(
      'size',
      `a size of at most ${formatSize(DEEPEST_BUCKET_BYTES)}`,
      (bytes) => bytes > 0 && bytes <= DEEPEST_BUCKET_BYTES,
    )
      .optional()
      .describe(
        'Depth of the token bucket, at most 2GiB. Without it: what comes in 10 ms at the larger rate, from 64KiB to 8MiB, and at least a page.',
      ),
    overhead: size
      .prefault(HEADER_BYTES)
      .describe('H, what a page costs on the link beyond its own bytes. Real frames always have 16 bytes.'),
  },
);

const probabilityMessage = 'a probability from 0 to 1';
const probability = z.number(probabilityMessage).min(0, probabilityMessage).max(1, probabilityMessage);

const deferMessage = 'none, { threshold, window } or { count, window }';
const defer = object('Deferral', 'Either `threshold` or `count` says which pages.', deferMessage, {
  threshold: probability
    .optional()
    .describe(
      'Pages that are written with at least this probability in a window, from 0 to 1. Without it: `count` says how many.',
    ),
  count: whole(0).optional().describe('So many of the hottest pages. Without it: `threshold` says which.'),
  window: durationAboveZero
    .prefault('40ms')
    .describe('w, the sampling window, a time; it then counts for all heat in place of `window`.'),
}).refine(({ threshold, count }) => (threshold === undefined) !== (count === undefined), deferMessage);

const timeout = z.union(
  [z.literal('none').transform(() => null), durationAboveZero],
  `none, or ${expected.duration} above 0`,
);

const clearMessage = 'page, round or chunk(pages)';
const clear = z
  .string(clearMessage)
  .meta({ pattern: '^(page|round|chunk\\(0*[1-9]\\d{0,9}\\))$', examples: ['chunk(262144)'] })
  .transform((text, context) => {
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

export const policySchema = definition(
  'Migration policy',
  'The policy: what is sent in which order, and when to stop.',
  'a migration: { order, stop, … }',
  {
    observe: duration
      .prefault('4s')
      .describe('How long the guest is watched before the first round, if the policy needs heat; a time.'),
    window: durationAboveZero
      .prefault('40ms')
      .describe('w, the time over which a page counts as written or not when heat is estimated.'),
    halfLife: durationAboveZero.prefault('8s').describe('After this time, what was observed counts half.'),
    heat: z
      .enum(['estimated', 'known'], 'estimated or known')
      .default('estimated')
      .describe('Whether heat is estimated by watching, or known from the guest’s program.'),
    order: order
      .default('threshold')
      .describe(
        'φ, the order in which a round sends its pages. address: by page number. random. lru: least recently written first. frequency: least often written first. increasing, decreasing: by the probability of a write. threshold: the hottest few first, then increasing. ends, vee (up to 10000 pages), exact (up to 500): the best of more orders.',
      ),
    defer: noneOr(defer, deferMessage).describe('F, hot pages held back until the stop. Without it: none.'),
    clear: clear
      .prefault('page')
      .describe(
        'When dirty bits are cleared. page: as it is sent. round: all as the round begins. chunk(n): those of n neighbours with the first of them.',
      ),
    skip: flag
      .default(false)
      .describe(
        'Whether a page that is dirty again before its turn waits for the next round. Not with clear: page.',
      ),
    stop: stopSchema
      .prefault({ rule: 'rounds' })
      .describe('When the guest is stopped: a rule, its parameters.'),
    timeout: timeout
      .optional()
      .describe(
        'Time after which a migration that does not converge gives up; none: never. Without it: as long as 30 copies of the memory take at `rate`, or 10 minutes; a rule that ends by itself has none.',
      ),
    timeoutPerGiB: durationAboveZero
      .optional()
      .describe('The same for each GiB of the guest’s memory, a time. Without it: `timeout` says it.'),
    onTimeout: z
      .enum(['cancel', 'stop'], 'cancel or stop')
      .optional()
      .describe(
        'What happens then. cancel: the guest stays at the source. stop: it is stopped and moves, whatever is left. Without it: cancel.',
      ),
    stopTimeout: durationAboveZero
      .optional()
      .describe(
        'How long the guest may be stopped; past it, it runs on at the source, and a stop that would take longer does not begin. Without it: as long as ten copies of the memory take at `stopRate`, at least 30s.',
      ),
    verify: z
      .enum(['checksums', 'full'], 'checksums or full')
      .default('checksums')
      .describe(
        'What is compared while the guest is stopped: a digest of all that was sent, or a hash of every byte too.',
      ),
  },
).prefault({});

export const senderSchema = object(
  'Sender',
  'The thread that sends pages, and what it has of a processor.',
  'a sender: { reservation, cpuPerPage, cpuPerHandover }',
  {
    reservation: reservationSchema.describe('What is reserved for it of a processor. Without it: nothing.'),
    cpuPerPage: duration
      .prefault(0)
      .describe('CPU time that it takes to prepare a page and send it; in a real world, at least so much.'),
    cpuPerHandover: duration.prefault(0).describe('The same for the hand-over: digest, commit and so on.'),
  },
).prefault({});

export type LinkDocument = z.infer<typeof linkSchema>;
export type PolicyDocument = z.infer<typeof policySchema>;
