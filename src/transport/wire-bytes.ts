import type { Encryption } from '../core/link/encryption.ts';
import { type Bytes, formatSize } from '../core/units.ts';
import { HEADER_BYTES, pageBytesPerFrame } from '../core/wire/frames.ts';
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
  const frameBytes = pageBytesPerFrame(pageSizeBytes);
  const neededBytes = wireBytes(HEADER_BYTES + frameBytes, kind);
  if (depthBytes >= neededBytes) return;
  const whole = frameBytes === pageSizeBytes ? 'page' : `piece of ${formatSize(frameBytes)} of a page`;
  const page = kind === 'none' ? `a ${whole} with its header` : `an encrypted ${whole} with its header`;
  throw new Failure(`link.depth is ${depthBytes} bytes, but ${page} needs ${neededBytes}`);
}
