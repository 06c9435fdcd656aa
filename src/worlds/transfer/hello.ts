import { z } from 'zod';
import { type Scheduler, schedulers } from '../../core/cpu/cpu-plan.ts';
import type { Reservation } from '../../core/cpu/reservation.ts';
import { WIRE_VERSION, WireError } from '../../core/wire/frames.ts';
import type { GuestSpec } from '../guests/programs.ts';
import { guestSchema } from '../guests/schema.ts';

/** Where a guest's heartbeats go. The token tells them from those of any other run. */
export interface HeartbeatAddress {
  readonly host: string;
  readonly port: number;
  readonly token: number;
}

/** What the source says first. */
export interface Hello {
  readonly version: number;
  /** A random name for this migration, by which both ends keep their journals. */
  readonly migration: string;
  readonly guest: GuestSpec;
  readonly heartbeats: HeartbeatAddress | null;
  /** What shall be reserved for the guest there too, and who keeps it; null: nothing. */
  readonly reservation: (Reservation & { readonly scheduler: Scheduler }) | null;
}

const hello: z.ZodType<Hello> = z.strictObject({
  version: z.literal(WIRE_VERSION),
  migration: z.uuid(),
  guest: guestSchema,
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

export function encodeHello(greeting: Hello | { readonly version: number }): Uint8Array {
  return Buffer.from(JSON.stringify(greeting));
}

/** @throws WireError another version, or not a hello. */
export function decodeHello(payload: Uint8Array): Hello {
  const value = json(payload);
  checkVersion(value);
  const parsed = hello.safeParse(value);
  if (parsed.success) return parsed.data;
  const first = parsed.error.issues[0]!;
  throw new WireError(`hello: ${first.path.join('.')}: ${first.message}`);
}

/** The destination's answer. @throws WireError another version. */
export function decodeAnswer(payload: Uint8Array): void {
  checkVersion(json(payload));
}

function checkVersion(value: unknown): void {
  const { version } = (value ?? {}) as { version?: unknown };
  if (version !== WIRE_VERSION) {
    throw new WireError(
      `the other end speaks version ${String(version)} of the wire, this one ${WIRE_VERSION}`,
    );
  }
}

function json(payload: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(payload).toString('utf8'));
  } catch {
    throw new WireError('hello: not JSON');
  }
}
