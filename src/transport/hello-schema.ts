import { z } from 'zod';
import { schedulers } from '../core/cpu/cpu-plan.ts';
import { WIRE_VERSION, WireError } from '../core/wire/frames.ts';
import { guestSpecSchema } from '../workload/guest-spec-schema.ts';
import { checkVersion, type Hello, parsedJson } from './hello.ts';

/** What a destination makes sure of. Apart from the rest, because a sender's thread need not load any of it. */
const hello: z.ZodType<Hello> = z.strictObject({
  version: z.literal(WIRE_VERSION),
  migration: z.uuid(),
  guest: guestSpecSchema,
  heartbeats: z
    .strictObject({
      host: z.union([z.ipv4(), z.ipv6()]),
      port: z.number().int().min(1).max(65535),
      token: z.number().int().nonnegative(),
    })
    .nullable(),
  reservation: z
    .strictObject({
      scheduler: z.enum(schedulers).exclude(['none', 'fair']),
      budgetNs: z.number().int().positive(),
      periodNs: z.number().int().positive(),
    })
    .refine(({ budgetNs, periodNs }) => budgetNs <= periodNs, 'a budget of at most the period')
    .nullable(),
});

/** @throws WireError another version, or not a hello. */
export function decodeHello(payload: Uint8Array): Hello {
  const value = parsedJson(payload);
  checkVersion(value);
  const parsed = hello.safeParse(value);
  if (parsed.success) return parsed.data;
  const first = parsed.error.issues[0]!;
  throw new WireError(`hello: ${first.path.join('.')}: ${first.message}`);
}
