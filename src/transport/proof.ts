import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { DIGEST_BYTES, NONCE_BYTES, WIRE_VERSION, WireError } from '../core/wire/frames.ts';
import type { End } from '../core/wire/handover.ts';
import { checkVersion } from './hello.ts';

/**
 * Each end proves to the other that it has the shared key, without showing it: an HMAC-SHA-256 over what both have
 * said. Each end's own nonce makes the proof a fresh one, so an old one is worth nothing; the end's name in it makes
 * the two proofs differ, so none can be handed back; and the source's challenge fixes the hello that will follow.
 */
export interface Challenges {
  readonly source: Uint8Array;
  readonly destination: Uint8Array;
}

/** A key shorter than this could be guessed from one overheard proof. */
export const SHORTEST_KEY_BYTES = 32;

/** @param hello what the source will send once both have proved themselves */
export function sourceChallenge(hello: Uint8Array): Buffer {
  return Buffer.concat([randomBytes(NONCE_BYTES), digestOf(hello)]);
}

export function destinationChallenge(): Buffer {
  return randomBytes(NONCE_BYTES);
}

export function proofOf(end: End, key: Uint8Array, { source, destination }: Challenges): Buffer {
  return createHmac('sha256', key)
    .update(`switchover wire ${WIRE_VERSION} ${end}\0`)
    .update(source)
    .update(destination)
    .digest();
}

/** Whether `claimed` is that end's proof; in constant time. */
export function isProofOf(end: End, key: Uint8Array, challenges: Challenges, claimed: Uint8Array): boolean {
  const right = proofOf(end, key, challenges);
  return claimed.length === right.length && timingSafeEqual(claimed, right);
}

/** @throws WireError another version, or not this end's challenge. */
export function checkChallenge(end: End, version: number, payload: Uint8Array): void {
  checkVersion({ version });
  const expected = end === 'source' ? NONCE_BYTES + DIGEST_BYTES : NONCE_BYTES;
  if (payload.length !== expected) {
    throw new WireError(
      `a 'challenge' frame of ${payload.length} bytes from the ${end}; expected ${expected}`,
    );
  }
}

/** @throws WireError this is not the hello that the source's challenge announced. */
export function checkAnnounced(challenge: Uint8Array, hello: Uint8Array): void {
  if (!timingSafeEqual(challenge.subarray(NONCE_BYTES), digestOf(hello))) {
    throw new WireError("the hello differs from the one in the source's challenge");
  }
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
