import type { Nanos } from '../core/units.ts';
import { STREAM_DIGEST_BYTES, WireError } from '../core/wire/frames.ts';

/** What control frames carry besides the hello. All of it comes from somebody else. */

/** The guest's clock when it stopped, and the digest of all that was sent of it, what this frame says of it included. */
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
  const expected = CLOCK_BYTES + STREAM_DIGEST_BYTES;
  if (payload.length !== expected) {
    throw new WireError(`a 'stop' frame of ${payload.length} bytes; expected ${expected}`);
  }
  return {
    guestTimeNs: decodeNanos(payload.subarray(0, CLOCK_BYTES)),
    digest: payload.subarray(CLOCK_BYTES),
  };
}

/** How a destination has come to run the guest, by its own clock. */
export interface TakenOver {
  /** From the commit on. */
  readonly resumeNs: Nanos;
  /**
   * From its last answer before the commit on. The source knows when it heard that one, so it knows when the guest ran, however
   * late it hears of it.
   */
  readonly sinceAnswerNs: Nanos;
}

/** The outcome of the commit: the guest runs at the destination; the source still owns it; or that is unknown. */
export type Committed =
  | ({ readonly kind: 'running' } & TakenOver)
  | { readonly kind: 'not taken' | 'not answered'; readonly why: string };

export function encodeTakenOver({ resumeNs, sinceAnswerNs }: TakenOver): Buffer {
  return Buffer.concat([encodeNanos(resumeNs), encodeNanos(sinceAnswerNs)]);
}

/** @throws WireError */
export function decodeTakenOver(payload: Buffer): TakenOver {
  if (payload.length !== 2 * CLOCK_BYTES) {
    throw new WireError(`a 'running' frame of ${payload.length} bytes; expected ${2 * CLOCK_BYTES}`);
  }
  return {
    resumeNs: decodeNanos(payload.subarray(0, CLOCK_BYTES)),
    sinceAnswerNs: decodeNanos(payload.subarray(CLOCK_BYTES)),
  };
}

/** How long the destination worked before it gave an answer. */
export function encodeWorked(workedNs: Nanos): Buffer {
  return encodeNanos(workedNs);
}

/** @throws WireError */
export function decodeWorked(payload: Buffer): Nanos {
  return decodeNanos(payload);
}

function encodeNanos(ns: number): Buffer {
  const payload = Buffer.alloc(CLOCK_BYTES);
  payload.writeDoubleLE(ns);
  return payload;
}

/** @throws WireError not a length of time */
function decodeNanos(payload: Buffer): number {
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
