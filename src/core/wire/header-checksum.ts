import { HEADER_BYTES } from './frames.ts';

/** Where the bytes begin that a header's checksum is of. */
const FIRST_BYTE = 4;

/** By byte: what it adds to a remainder. The reversed polynomial of CRC-32 (ISO 3309, as in zlib). */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = (remainder >>> 1) ^ (remainder & 1 ? 0xedb88320 : 0);
  return remainder;
});

/** CRC-32 of the twelve bytes of a header at `offset` that follow its checksum: for so few, a call to zlib takes ten times as long. */
export function headerChecksum(bytes: Uint8Array, offset: number): number {
  let remainder = 0xffffffff;
  for (let at = offset + FIRST_BYTE; at < offset + HEADER_BYTES; at++) {
    remainder = table[(remainder ^ bytes[at]!) & 0xff]! ^ (remainder >>> 8);
  }
  return ~remainder >>> 0;
}
