import { crc32 } from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HEADER_BYTES } from '../../../src/core/wire/frames.ts';
import { headerChecksum } from '../../../src/core/wire/header-checksum.ts';

test('the checksum of a header is zlib’s CRC-32 of what follows it there, wherever the header lies', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: HEADER_BYTES, maxLength: 80 }), fc.nat(), (bytes, place) => {
      const offset = place % (bytes.length - HEADER_BYTES + 1);
      const covered = bytes.subarray(offset + 4, offset + HEADER_BYTES);
      expect(headerChecksum(bytes, offset)).toBe(crc32(covered));
    }),
  );
});
