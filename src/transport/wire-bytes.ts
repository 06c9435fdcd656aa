import type { Encryption } from '../core/link/encryption.ts';
import type { Bytes } from '../core/units.ts';
import { HEADER_BYTES } from '../core/wire/frames.ts';
import { tlsBytes } from '../core/wire/tls-records.ts';
import { Failure } from '../platform/failure.ts';
import { type Credentials, encryptionKind } from './credentials.ts';

/** What so many bytes become on a connection if they are written at once: what a reservation of the link counts. */
export function wireBytes(bytes: Bytes, encryption: Encryption['kind']): Bytes {
  return encryption === 'none' ? bytes : tlsBytes(bytes);
}

/** @throws Failure the bucket never holds a page, so the first one would be waited for without end */
export function insistOnRoomForPage(depthBytes: Bytes, pageSizeBytes: Bytes, to: Credentials): void {
  const kind = encryptionKind(to);
  const neededBytes = wireBytes(HEADER_BYTES + pageSizeBytes, kind);
  if (depthBytes >= neededBytes) return;
  const page = kind === 'none' ? 'a page with its header' : 'an encrypted page with its header';
  throw new Failure(`link.depth is ${depthBytes} bytes, but ${page} needs ${neededBytes}`);
}
