import { createHash, timingSafeEqual } from 'node:crypto';
import { usageError } from '../platform/problem.ts';
import { SHORTEST_KEY_BYTES } from '../transport/proof.ts';

/** What a header can carry, and nothing that an editor or a shell adds at its end. */
const USABLE = new RegExp(`^[\\x21-\\x7e]{${SHORTEST_KEY_BYTES},}$`);

/** The key of the API, as its file has it. @throws UsageError no request could bring it */
export function apiKeyIn(file: Uint8Array, where: string): string {
  const key = Buffer.from(file).toString('latin1').trim();
  if (USABLE.test(key)) return key;
  const expected = `at least ${SHORTEST_KEY_BYTES} visible ASCII characters without spaces`;
  throw usageError(where, `${expected}, such as head -c 32 /dev/urandom | base64 gives`, 'something else');
}

/** The key that a request brings. The name of the scheme may be in any case (RFC 9110, 11.1). */
export function bearerKey(authorization: string | undefined): string | undefined {
  return /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
}

/** Both are hashed, so that neither the time nor the length of a wrong one tells anything of the right one. */
export function isSameKey(given: string, key: string): boolean {
  return timingSafeEqual(digest(given), digest(key));
}

/** Which key it is, without saying it: for the log. */
export function fingerprintOf(key: string): string {
  return digest(key).toString('hex').slice(0, 8);
}

function digest(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
