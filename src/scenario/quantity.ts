import { z } from 'zod';
import { inputLimits } from '../core/input-limits.ts';
import {
  expected,
  formatDuration,
  parseDuration,
  parseRate,
  parseRateOrZero,
  parseSize,
  patterns,
} from '../core/units.ts';

const text = (kind: keyof typeof patterns, ...examples: readonly string[]) => {
  return { type: 'string', pattern: patterns[kind], examples };
};
const written = (id: string, description: string, ...anyOf: readonly object[]) =>
  z.unknown().meta({ id, description, anyOf });
const zero = { type: 'integer', const: 0 };
const bytes = { type: 'integer', minimum: 0 };
const time = text('duration', '20ms', '1.5s', '1h30m');
const someRate = text('rate', '50Mbit/s');

/** How a kind of quantity is read, and how it is written: a bare number is no time but 0, and a size in bytes. */
const kinds = {
  duration: {
    parse: parseDuration,
    written: written('Duration', 'A time with its unit; m is a minute, as min is.', time, zero),
  },
  size: {
    parse: parseSize,
    written: written(
      'Size',
      'A size with its unit, or a number of bytes. KiB is 1024 bytes, kB 1000.',
      text('size', '4KiB', '16GiB'),
      bytes,
    ),
  },
  rate: {
    parse: parseRate,
    written: written(
      'Rate',
      'A rate with its unit: in bits a second (bit/s, bps), or in bytes (B/s). Mi is 2^20, M a million.',
      text('rate', '50Mbit/s', '10Gbps', '1.25MB/s'),
    ),
  },
  rateOrZero: {
    parse: parseRateOrZero,
    written: written('RateOrZero', 'A rate with its unit, or 0.', someRate, zero),
  },
} as const;

/**
 * A quantity with its unit: times are read as ns, sizes as bytes, rates as bytes a second.
 * @param message completes the sentence "expected …"
 * @param holds what else must be true of the value
 */
export function quantity(
  kind: keyof typeof kinds,
  message: string,
  holds: (value: number) => boolean = () => true,
) {
  const { parse, written } = kinds[kind];
  return written.transform((value, context): number => {
    const parsed = typeof value === 'string' || typeof value === 'number' ? parse(String(value)) : undefined;
    if (parsed !== undefined && holds(parsed)) return parsed;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}

export const duration = quantity('duration', expected.duration);
export const durationAboveZero = quantity('duration', `${expected.duration} above 0`, (ns) => ns > 0);
const { shortestHeartbeatNs } = inputLimits;
export const heartbeatPeriod = quantity(
  'duration',
  `${expected.duration} of at least ${formatDuration(shortestHeartbeatNs)}`,
  (ns) => ns >= shortestHeartbeatNs,
);
export const size = quantity('size', expected.size);
export const rate = quantity('rate', expected.rate);
/** `0` too, which no link would be reserved with. */
export const rateOrZero = quantity('rateOrZero', `${expected.rate}, or 0`);

/** A whole number in a range. */
export function whole(least: number, most = 2 ** 32 - 1) {
  const message = `a whole number from ${least} to ${most}`;
  return z.int(message).min(least, message).max(most, message);
}

/** `none` is as good as nothing. @param message what is expected where it is neither */
export function noneOr<Schema extends z.ZodType>(schema: Schema, message: string) {
  return z.union([z.literal('none').transform(() => undefined), schema], message).optional();
}

export const flag = z.boolean('true or false');

/** Any text of at most so many characters. */
export function freeName(most: number) {
  return z.string('a name').max(most, `a name of at most ${most} characters`);
}
