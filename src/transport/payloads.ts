import { DIGEST_BYTES, WireError } from '../core/wire/frames.ts';

/** What control frames carry besides the hello. All of it comes from somebody else. */

/** The guest's clock when it stopped, and the digest over the checksums of all pages as last sent. */
export interface Stopped {
  readonly guestTimeNs: number;
  readonly digest: Buffer;
}

const CLOCK_BYTES = 8;

export function encodeStop({ guestTimeNs, digest }: Stopped): Buffer {
  return Buffer.concat([encodeNanos(guestTimeNs), digest]);
}

/** @throws WireError */
export function decodeStop(payload: Buffer): Stopped {
  if (payload.length !== CLOCK_BYTES + DIGEST_BYTES) {
    throw new WireError(`a 'stop' frame of ${payload.length} bytes; expected ${CLOCK_BYTES + DIGEST_BYTES}`);
  }
  return {
    guestTimeNs: decodeNanos(payload.subarray(0, CLOCK_BYTES)),
    digest: payload.subarray(CLOCK_BYTES),
  };
}

export function encodeNanos(ns: number): Buffer {
  const payload = Buffer.alloc(CLOCK_BYTES);
  payload.writeDoubleLE(ns);
  return payload;
}

/** @throws WireError not a length of time */
export function decodeNanos(payload: Buffer): number {
  const ns = payload.length === CLOCK_BYTES ? payload.readDoubleLE(0) : Number.NaN;
  if (Number.isFinite(ns) && ns >= 0) return ns;
  throw new WireError('an invalid time');
}

/** How far a guest had come when it was retired. */
export interface Retired {
  readonly steps: number;
  readonly heartbeats: number;
  readonly sha256: string;
}

/** @throws WireError */
export function decodeRetired(payload: Buffer): Retired {
  try {
    const { steps, heartbeats, sha256 } = JSON.parse(payload.toString('utf8'));
    if (isCount(steps) && isCount(heartbeats) && /^[0-9a-f]{64}$/.test(sha256)) {
      return { steps, heartbeats, sha256 };
    }
  } catch {
    // Not even JSON.
  }
  throw new WireError("a 'retire' frame without the guest's number of steps");
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
