import { z } from 'zod';

/**
 * A quantity with its unit. The message completes the sentence "expected …".
 * @param parse text → value, undefined if it is none
 * @param holds what else must be true of the value
 */
export function quantity(
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

/** A whole number in a range. */
export function whole(least: number, most = 2 ** 32 - 1) {
  const message = `a whole number from ${least} to ${most}`;
  return z.int(message).min(least, message).max(most, message);
}

/** `none` is as good as nothing. */
export function noneOr<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => (value === 'none' ? undefined : value), schema.optional());
}
