import { inputLimits } from '../core/input-limits.ts';
import type { Nanos } from '../core/units.ts';
import { WIRE_VERSION, WireError } from '../core/wire/frames.ts';
import { reasonOf } from '../platform/failure.ts';
import { parseJson } from '../platform/json.ts';
import type { GuestDefinition } from '../workload/guest-definition.ts';

/** Where a guest's heartbeats go. The token tells them from those of any other run. */
export interface HeartbeatAddress {
  readonly host: string;
  readonly port: number;
  readonly token: number;
}

/** What the source says first: of the guest, for which as much is to be reserved at the destination. */
export interface Hello extends GuestDefinition {
  readonly version: number;
  /** A random name for this migration, by which both ends keep their journals. */
  readonly migration: string;
  readonly heartbeats: HeartbeatAddress | null;
}

/** The destination's answer. */
export interface Welcome {
  readonly version: number;
  /** From the hello on, while it made room for the guest: what is left of the source's wait is the way there and back. */
  readonly workedNs: Nanos;
}

export function encodeHello(greeting: Hello | Welcome): Uint8Array {
  return Buffer.from(JSON.stringify(greeting));
}

/** @throws WireError another version, or no such answer. */
export function decodeWelcome(payload: Uint8Array): Welcome {
  const value = parsedJson(payload);
  checkVersion(value);
  const { version, workedNs } = value as Partial<Welcome>;
  if (typeof workedNs !== 'number' || workedNs < 0) throw new WireError("an answer without 'workedNs'");
  return { version: version!, workedNs };
}

export function checkVersion(value: unknown): void {
  const { version } = (value ?? {}) as { version?: unknown };
  if (version !== WIRE_VERSION) {
    throw new WireError(`the other end uses protocol version ${String(version)}, this one ${WIRE_VERSION}`);
  }
}

/** @throws WireError not JSON, or nested too deep */
export function parsedJson(payload: Uint8Array): unknown {
  try {
    return parseJson(
      Buffer.from(payload.buffer, payload.byteOffset, payload.length).toString('utf8'),
      'hello',
      inputLimits.helloValues,
    );
  } catch (cause) {
    throw new WireError(reasonOf(cause));
  }
}
