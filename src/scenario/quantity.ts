import { z } from 'zod';
import { expected, parseDuration, parseRate, parseSize, patterns } from '../core/units.ts';

/** How a kind of quantity is written. A bare number is a time if it is 0, or a size in bytes; never a rate. */
const kinds = {
  duration: { parse: parseDuration, schema: { anyOf: [text('duration', '20ms', '1.5s'), { const: 0 }] } },
  size: {
    parse: parseSize,
    schema: { anyOf: [text('size', '4KiB', '16GiB'), { type: 'integer', minimum: 0 }] },
  },
  rate: { parse: parseRate, schema: text('rate', '50Mbit/s', '1.25MB/s') },
  rateOrZero: {
    parse: (text: string) => (text === '0' ? 0 : parseRate(text)),
    schema: { anyOf: [text('rate', '50Mbit/s'), { const: 0 }] },
  },
} as const;

function text(kind: keyof typeof patterns, ...examples: readonly string[]) {
  return { type: 'string', pattern: patterns[kind], examples };
}

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
  const { parse, schema } = kinds[kind];
  return z
    .unknown()
    .meta(schema)
    .transform((value, context): number => {
      const parsed =
        typeof value === 'string' || typeof value === 'number' ? parse(String(value)) : undefined;
      if (parsed !== undefined && holds(parsed)) return parsed;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    });
}

export const duration = quantity('duration', expected.duration);
export const durationAboveZero = quantity('duration', `${expected.duration} above 0`, (ns) => ns > 0);
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
