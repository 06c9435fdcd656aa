import { inputLimits } from '../input-limits.ts';
import { beginsTls } from './tls-records.ts';

/**
 * The wire, version 3. Everything is a frame: a header of 16 bytes, little-endian, and a payload.
 *
 *   offset 0  u32  crc       CRC-32 of the rest of the header, and of the payload unless that is a page's
 *          4  u32  type
 *          8  u32  argument  page number, round number, guest steps: what the type says
 *         12  u32  length    of the payload in bytes
 *
 * The checksum comes first so that one call covers header and payload. It finds damage by chance, before anything is done
 * with what the frame says: where a page goes, and where the next frame begins. What a page holds is read once, for the digest that
 * the `round` and `stop` frames carry. That finds damage and what was changed on purpose or left out, and the bytes of a page need
 * no second checksum (docs/decisions/057-a-page-is-read-once.md).
 */
export const WIRE_VERSION = 3;
/** Also H: what a page costs on the wire beyond its own bytes. */
export const HEADER_BYTES = 16;

/** A larger page goes in pieces of this size, each in a frame of its own, numbered as if it were a page. */
export const LARGEST_PAGE_FRAME_BYTES = 1024 * 1024;

/** What a frame holds of a page of this size: all of it, or a piece. */
export function pageBytesPerFrame(pageSizeBytes: number): number {
  return Math.min(pageSizeBytes, LARGEST_PAGE_FRAME_BYTES);
}

/** Payloads that are not pages hold JSON or a digest; only a hello, which carries a recording, may be large. */
export const LARGEST_HELLO_BYTES = inputLimits.helloBytes;
export const LARGEST_CONTROL_BYTES = inputLimits.controlBytes;

/** A fresh random number of either end, and the SHA-256 that follows the source's: of the hello it will send. */
export const NONCE_BYTES = 32;
export const DIGEST_BYTES = 32;
/** Of the digest that a `stop` frame carries. */
export const STREAM_DIGEST_BYTES = 16;

export const frameTypes = [
  /** Both ways. JSON: version, the guest and its program; answered by version and accepted. */
  'hello',
  /** Argument: page number. Payload: the page, or a piece of one that is larger than a frame. */
  'page',
  /** Argument: page number. No payload: the page holds only zeros. */
  'zero',
  /**
   * Both ways. Argument: round number. The source has sent a round, whose digest is the payload; the destination has the same.
   */
  'round',
  /**
   * Argument: 1 if the guest is paused and is to stay so, or else 0. Payload: its clock, and the digest of all that was
   * sent of the guest since the last round, this clock included.
   */
  'stop',
  /** The destination has what the source has sent, by these digests. Payload: how long it took to find out, an f64 of nanoseconds. */
  'ready',
  /** Both ways: hash all memory; answered with the hash. */
  'verify',
  /** The guest is the destination's. */
  'commit',
  /** Payload: how long the guest took to run, and how long ago the destination had answered before, two f64 of nanoseconds. */
  'running',
  /** Both ways: stop the migrated guest at the end of the run; answered with its step count and hash. */
  'retire',
  /** Both ways. Payload: why, as text. */
  'abort',
  /** Both ways. Argument: version. Payload: a nonce, and from the source the digest of its hello to come. */
  'challenge',
  /** Both ways. Payload: an HMAC under the shared key over both challenges, another one for each end. */
  'proof',
  /** Both ways. No payload: this end is still there, though it has nothing to say. */
  'alive',
  /** Argument: offset. Payload: a piece of what a machine is beyond its pages, its processors and devices. */
  'state',
  /** Argument: version. Payload: the name of a migration whose commit was not answered: what became of it? */
  'ask',
  /** Payload: why, as text. The guest is not the destination's and never will be: whatever it had is thrown away. */
  'returned',
  /** Argument: page number. Payload: what makes the page of the version that was sent before it (delta.ts). */
  'delta',
] as const;

export type FrameType = (typeof frameTypes)[number];

const codes = Object.fromEntries(frameTypes.map((type, index) => [type, index + 1])) as Record<
  FrameType,
  number
>;

/** Whether such a frame is about a page's contents. */
export function isOfPage(type: FrameType): boolean {
  return type === 'page' || type === 'zero' || type === 'delta';
}

export type FrameHeader = ReturnType<typeof readHeader>;

/** A stream that breaks the wire's rules. The message says which. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

/** Writes the header at `offset`, all but the checksum, which is taken over what follows it. */
export function writeHeader(
  view: DataView,
  offset: number,
  type: FrameType,
  argument: number,
  lengthBytes: number,
): void {
  view.setUint32(offset + 4, codes[type], true);
  view.setUint32(offset + 8, argument, true);
  view.setUint32(offset + 12, lengthBytes, true);
}

export function writeChecksum(view: DataView, offset: number, crc: number): void {
  view.setUint32(offset, crc, true);
}

/**
 * Reads the header at `offset` and checks what can be checked before the payload has arrived.
 * @param helloBytes the largest hello that is expected
 * @throws WireError unknown type, or a payload no frame of this type has.
 */
export function readHeader(
  view: DataView,
  offset: number,
  pageSizeBytes: number,
  helloBytes: number = LARGEST_HELLO_BYTES,
) {
  const type = frameTypes[view.getUint32(offset + 4, true) - 1];
  if (type === undefined) throw new WireError(notAFrame(view, offset));
  const lengthBytes = view.getUint32(offset + 12, true);
  const [least, most] = payloadBounds(type, pageSizeBytes, helloBytes);
  if (lengthBytes < least || lengthBytes > most) {
    throw new WireError(`a '${type}' frame of ${lengthBytes} bytes; expected ${least} to ${most}`);
  }
  return { crc: view.getUint32(offset, true), type, argument: view.getUint32(offset + 8, true), lengthBytes };
}

function notAFrame(view: DataView, offset: number): string {
  return beginsTls(new Uint8Array(view.buffer, view.byteOffset + offset, HEADER_BYTES))
    ? 'the source encrypts, and this destination does not: give both the same key, or certificates to both'
    : `not a frame: unknown type ${view.getUint32(offset + 4, true)}`;
}

function payloadBounds(
  type: FrameType,
  pageSizeBytes: number,
  helloBytes: number,
): readonly [number, number] {
  switch (type) {
    case 'page':
      return [pageSizeBytes, pageSizeBytes];
    case 'delta':
      return [0, pageSizeBytes];
    case 'round':
      return [0, STREAM_DIGEST_BYTES];
    case 'zero':
    case 'commit':
    case 'alive':
      return [0, 0];
    case 'hello':
      return [2, helloBytes];
    case 'challenge':
      return [NONCE_BYTES, NONCE_BYTES + DIGEST_BYTES];
    case 'proof':
      return [DIGEST_BYTES, DIGEST_BYTES];
    default:
      return [0, LARGEST_CONTROL_BYTES];
  }
}
