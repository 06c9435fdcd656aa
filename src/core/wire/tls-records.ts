import type { Bytes } from '../units.ts';

/** What a record of TLS carries at most (RFC 8446, 5.1). OpenSSL fills each one, but for the last of a write. */
const RECORD_BYTES = 16_384;

/**
 * What a record adds under TLS 1.3 and AES-GCM (RFC 8446, 5.2; RFC 5116, 5.1): a header of 5 bytes, the type of its
 * content, and a tag of 16 bytes.
 */
const ADDED_BYTES = 22;

/** What one write of so many bytes becomes on the connection. */
export function tlsBytes(bytes: Bytes): Bytes {
  return bytes + Math.ceil(bytes / RECORD_BYTES) * ADDED_BYTES;
}

/**
 * Whether a stream that begins so is one of TLS and not of frames: a record with a handshake (RFC 8446, 5.1), whose first
 * message, a ClientHello, is named where a frame has its type. There are fewer than 256 types of frames.
 */
export function beginsTls(head: Uint8Array): boolean {
  return head[0] === 0x16 && head[1] === 0x03 && head[5] === 0x01;
}
